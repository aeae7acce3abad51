//! What is thrown at everything that reads what others wrote. The tests of the crates run the same
//! functions on fewer inputs, with the stable compiler.

pub mod expr;
pub mod flow;
