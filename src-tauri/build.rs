//! Embeds the console and declares the shell's commands; without the window there is nothing to do.
#![forbid(unsafe_code)]

fn main() {
    #[cfg(feature = "desktop")]
    {
        // The macro that embeds the console does not watch it.
        println!("cargo:rerun-if-changed=ui/dist");
        // A declared command needs a capability to be called; an undeclared one would be open to every page.
        let manifest = tauri_build::AppManifest::new().commands(&["rpc", "notify"]);
        let attributes = tauri_build::Attributes::new().app_manifest(manifest);
        if let Err(error) = tauri_build::try_build(attributes) {
            eprintln!("{error:#}");
            std::process::exit(1);
        }
    }
}
