//! devrig-plugins
