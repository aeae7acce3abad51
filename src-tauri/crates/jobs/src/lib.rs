//! devrig-jobs
