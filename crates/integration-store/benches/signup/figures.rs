//! How figures are taken and printed.

/// Prints a figure as the one line that scripts read, and its bar for people on standard error.
pub(crate) fn print(name: &str, value: f64, bar: &str) {
    println!("{name}={value:.3}");
    eprintln!("  {name}: measured {value:.3}, wanted {bar}");
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap()
}
