//! devrig-engine
