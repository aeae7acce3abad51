//! Journeys across crates: a real engine, the tests' own internet, real workers.
