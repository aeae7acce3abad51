//! devrig-store
