//! devrig-process
