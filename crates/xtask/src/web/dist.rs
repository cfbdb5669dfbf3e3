//! Moves what was built into the out dir: only files whose bytes changed, and nothing else stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::pack::Pack;
use crate::run::root;

/// Where a build gathers its files before they go out together.
pub(crate) fn staging() -> Result<PathBuf> {
    let dir = root().join("target/web");
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Copies the pack's files to its out dir and removes what does not belong there.
pub(crate) fn publish(pack: &Pack, staging: &Path) -> Result<()> {
    let out = root().join(pack.text("out", "dir")?);
    fs::create_dir_all(&out)?;
    let mut names: BTreeSet<String> = BTreeSet::new();
    for module in pack.modules() {
        names.insert(format!("{}.wasm", pack.text(module, "name")?));
    }
    for section in ["modules", "scripts", "files"] {
        names.extend(pack.bundles(section)?.into_iter().map(|(file, _)| file.to_owned()));
    }
    for name in &names {
        let bytes = fs::read(staging.join(name))?;
        let target = out.join(name);
        if fs::read(&target).ok().as_deref() != Some(&bytes) {
            fs::write(&target, &bytes)?;
            println!("web: {} ({} bytes)", target.display(), bytes.len());
        }
    }
    for entry in fs::read_dir(&out)? {
        let entry = entry?;
        if !names.contains(&*entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
