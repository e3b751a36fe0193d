//! Recompiles when a migration changes: the migrations are embedded, and cargo does not see their folder by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
