//! devrig-git
