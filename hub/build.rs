//! Cargo looks at the embedded dashboard only when it is told to.

#[allow(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]
fn main() {
    // A folder that is not there yet is watched too: it appears with the dashboard's first build.
    println!("cargo::rerun-if-changed=dashboard/dist");
    println!("cargo::rerun-if-changed=build.rs");
}
