//! Moves to another folder: all of it or nothing, and never over what is there.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use headwater_hybrid::store::home;

use super::*;

/// A folder on another file system than the first.
#[cfg(target_os = "linux")]
fn elsewhere(name: &str, than: &Path) -> Folder {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| fs::metadata(path).expect("a folder").dev();
    let places = [Path::new("/dev/shm"), Path::new(env!("CARGO_TARGET_TMPDIR"))];
    let place = places.into_iter().find(|place| device(place) != device(than));
    let path =
        place.expect("two file systems").join(format!("headwater-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    Folder(path)
}

fn moves_and_goes_on(from: &Folder, to: &Folder) {
    let (torrent, bytes) = sample();
    let (store, ..) = open(&from.0, &torrent);
    write(&store, &torrent, &bytes, 0..30);
    save_torrent(&from.0, &torrent).expect("a write");
    assert_eq!(store.move_to(&to.0), Ok(true));
    assert_eq!(store.root(), to.0.canonicalize().expect("a folder"));
    assert!(!from.0.join("film").exists());
    assert_eq!(saved_torrent(&from.0, torrent.info_hash), None);
    assert!(store.read_block(PieceIndex(6), 0, PIECE).is_ok());
    write(&store, &torrent, &bytes, 30..torrent.piece_count());
    assert_eq!(store.move_to(&to.0), Ok(false), "it is there");
    let busy = Store::open(&to.0, Arc::clone(&torrent), &Opening::default()).map(|_| ());
    assert!(matches!(busy, Err(StoreError::Busy(_))), "its lock moved with it: {busy:?}");
    drop(store);
    assert_eq!(home(&from.0, Some(&to.0), &torrent), to.0);
    assert!(saved_torrent(&to.0, torrent.info_hash).is_some());
    let (store, have, doubtful) = open(&to.0, &torrent);
    assert_eq!((have.count(), doubtful.count()), (torrent.piece_count(), 0));
    assert_eq!(right(&store, &torrent, &have), torrent.piece_count());
    let lies = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        (lies(&from.0), lies(&to.0)),
        (vec![".headwater".to_owned()], vec![".headwater".to_owned(), "film".to_owned()])
    );
    assert!(lies(&to.0.join(".headwater")).iter().all(|name| !name.ends_with("moving")));
}

#[test]
fn a_torrent_moves_to_another_folder_and_goes_on_there() {
    moves_and_goes_on(&Folder::new("from"), &Folder::new("to"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_torrent_moves_to_another_file_system_and_goes_on_there() {
    let from = Folder::new("near");
    let to = elsewhere("far", &from.0);
    moves_and_goes_on(&from, &to);
}

#[test]
fn nothing_is_overwritten_by_a_move() {
    let (from, to) = (Folder::new("stays"), Folder::new("taken"));
    let (torrent, bytes) = sample();
    let (store, ..) = open(&from.0, &torrent);
    write(&store, &torrent, &bytes, 0..torrent.piece_count());
    fs::create_dir(to.0.join("film")).expect("a folder");
    let refused = store.move_to(&to.0);
    let Err(StoreError::Io(why)) = &refused else { panic!("{refused:?}") };
    assert!(why.contains("there already and is not overwritten"), "{why}");
    assert_eq!(store.root(), from.0.canonicalize().expect("a folder"));
    assert_eq!(home(&from.0, Some(&to.0), &torrent), from.0);
    drop(store);
    let (_, have, _) = open(&from.0, &torrent);
    assert!(have.is_full(), "it stays as it is");
    fs::remove_dir(to.0.join("film")).expect("it goes");
    let (store, ..) = open(&from.0, &torrent);
    store.move_to(&to.0).expect("it moves");
}

#[cfg(unix)]
#[test]
fn what_is_reached_through_a_link_is_not_moved() {
    let (from, to) = (Folder::new("linked"), Folder::new("unlinked"));
    let (torrent, bytes) = sample();
    fs::create_dir(from.0.join("real")).expect("a folder");
    std::os::unix::fs::symlink(from.0.join("real"), from.0.join("film")).expect("a link");
    let (store, ..) = open(&from.0, &torrent);
    write(&store, &torrent, &bytes, 0..torrent.piece_count());
    let refused = store.move_to(&to.0);
    assert!(matches!(&refused, Err(StoreError::Io(why)) if why.contains("link")), "{refused:?}");
    assert_eq!(home(&from.0, Some(&to.0), &torrent), from.0);
}

/// The child of the test below: moves until it is killed.
#[test]
fn child_that_is_killed_as_it_moves() {
    let (Ok(from), Ok(to)) = (env::var("HEADWATER_MOVE_FROM"), env::var("HEADWATER_MOVE_TO"))
    else {
        return;
    };
    let (torrent, _) = sample();
    let home = home(Path::new(&from), Some(Path::new(&to)), &torrent);
    let (store, ..) = open(home, &torrent);
    eprintln!("begin");
    store.move_to(Path::new(&to)).expect("it moves");
    eprintln!("moved");
}

#[cfg(target_os = "linux")]
#[test]
fn killed_as_it_moves_a_torrent_is_whole_in_one_of_the_two_folders() {
    let from = Folder::new("killed-from");
    for to in [Folder::new("killed-to"), elsewhere("killed-far", &from.0)] {
        let (torrent, bytes) = sample();
        let (store, ..) = open(&from.0, &torrent);
        write(&store, &torrent, &bytes, 0..torrent.piece_count());
        drop(store);
        let mut moved = 0;
        for round in 0..25 {
            let mut child = Command::new(env::current_exe().expect("this test"))
                .args(["--exact", "finish::child_that_is_killed_as_it_moves", "--nocapture"])
                .envs([("HEADWATER_MOVE_FROM", &from.0), ("HEADWATER_MOVE_TO", &to.0)])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("a child");
            let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
            assert!(lines.any(|line| line.is_ok_and(|line| line == "begin")));
            spin(round * 300);
            child.kill().expect("it lives or is done");
            child.wait().expect("it is gone");
            let lies_in = home(&from.0, Some(&to.0), &torrent);
            let (store, have, _) = open(lies_in, &torrent);
            assert!(have.is_full(), "round {round}: {} pieces", have.count());
            assert_eq!(right(&store, &torrent, &have), torrent.piece_count(), "round {round}");
            if lies_in == to.0 {
                moved += 1;
                // A child that was killed early may have left what a move leaves.
                let _ = fs::remove_dir_all(from.0.join("film"));
                store.move_to(&from.0).expect("it moves back");
            }
        }
        eprintln!("{moved} of 25 were moved");
    }
}
