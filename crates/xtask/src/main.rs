//! The tool of this project.
fn main() {}
