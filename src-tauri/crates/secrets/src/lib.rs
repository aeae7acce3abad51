//! devrig-secrets
