//! devrig-inbox
