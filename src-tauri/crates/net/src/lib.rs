//! devrig-net
