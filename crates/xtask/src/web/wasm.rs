//! From Rust to the wasm that ships: cargo, wasm-bindgen as a library, wasm-opt from npm.

use std::path::Path;

use anyhow::{Result, bail};

use crate::fresh::{is_fresh, newest_under};
use crate::pack::Pack;
use crate::run::{capture, cargo, root, run, target_dir, tool};

/// Puts every module's `NAME.wasm` into `staging` and its bindings into the folder that the pack
/// names. All at once: linking and wasm-opt keep one core busy each.
pub(crate) fn build(pack: &Pack, staging: &Path) -> Result<()> {
    std::thread::scope(|scope| {
        let build = |module| scope.spawn(move || build_one(pack, module, staging));
        let builds: Vec<_> = pack.modules().into_iter().map(build).collect();
        builds.into_iter().try_for_each(|build| match build.join() {
            Ok(built) => built,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn build_one(pack: &Pack, module: &str, staging: &Path) -> Result<()> {
    let name = pack.text(module, "name")?;
    let built = compile(pack, module)?;
    let bindings = root().join(pack.text(module, "bindings")?);
    bind(&built, &bindings, name)?;
    let bound = bindings.join(format!("{name}_bg.wasm"));
    let small = staging.join(format!("{name}.wasm"));
    if !is_fresh(&small, &[&bound, &root().join("wasm-pack.toml")]) {
        println!("web: wasm-opt {}", pack.list("wasm", "opt").join(" "));
        let mut opt = tool("node");
        opt.arg("www/node_modules/binaryen/bin/wasm-opt").args(pack.list("wasm", "opt"));
        run(opt.arg(&bound).arg("-o").arg(&small))?;
    }
    refuse_env_imports(&small)
}

fn compile(pack: &Pack, module: &str) -> Result<std::path::PathBuf> {
    let (krate, target) = (pack.text("wasm", "crate")?, pack.text("wasm", "target")?);
    let profile = pack.text(module, "profile")?;
    let mut build = cargo();
    build.args(["build", "-p", krate, "--target", target, "--profile", profile]);
    let features = pack.list(module, "features").join(",");
    if !features.is_empty() {
        build.args(["--no-default-features", "--features", &features]);
    }
    println!("web: cargo build -p {krate} --target {target} --profile {profile} {features}");
    run(&mut build)?;
    let file = format!("{}.wasm", krate.replace('-', "_"));
    let built = target_dir()?.join(target).join(profile).join(file);
    if !built.exists() {
        bail!("{} was not made; {krate} needs crate-type cdylib", built.display());
    }
    Ok(built)
}

fn bind(wasm: &Path, bindings: &Path, name: &str) -> Result<()> {
    let newest = newest_under(bindings);
    if bindings.join(format!("{name}_bg.wasm")).exists() && newest >= newest_under(wasm) {
        return Ok(());
    }
    println!("web: wasm-bindgen into {}", bindings.display());
    let mut bindgen = cargo();
    bindgen.args(["run", "-q", "-p", "headwater-xtask", "--features", "bindgen"]);
    bindgen.args(["--bin", "xtask-bindgen", "--", "bindgen"]);
    run(bindgen.arg(wasm).arg(bindings).arg(name))
}

/// An import from `env` is a C symbol that nobody gives; the page would fail at load.
fn refuse_env_imports(wasm: &Path) -> Result<()> {
    let script = "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));\
        console.log(WebAssembly.Module.imports(m).map(i => i.module + ' ' + i.name).join('\\n'))";
    let imports = capture(tool("node").args(["-e", script]).arg(wasm))?;
    let imports = String::from_utf8_lossy(&imports).into_owned();
    match imports.lines().find(|line| line.starts_with("env ")) {
        Some(line) => bail!("{} imports {line}", wasm.display()),
        None => Ok(()),
    }
}
