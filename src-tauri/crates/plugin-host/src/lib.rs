//! devrig-plugin-host
