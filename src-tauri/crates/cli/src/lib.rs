//! devrig-cli
