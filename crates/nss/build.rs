//! Gives the library the name under which glibc looks for it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnss_netinfo.so.2");
    // Its threads' storage has destructors, so it must stay once it was loaded.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
