//! Torrents that are made to cost memory: the least bytes for the most structure.

/// What each does, and its bytes.
pub(crate) fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let around = |info: String| format!("d4:infod{info}ee").into_bytes();
    let v1 = |files: String| {
        around(format!("5:filesl{files}e4:name1:x12:piece lengthi536854528e6:pieces20:{:20}", ""))
    };
    let v2 = |tree: String| {
        around(format!("9:file treed{tree}e12:meta versioni2e4:name1:x12:piece lengthi16384e"))
    };
    let many = |n: usize, each: &dyn Fn(usize) -> String| (0..n).map(each).collect::<String>();
    let leaf = "d0:d6:lengthi0eee";
    let file = |n: usize| format!("5:{n:05}{leaf}");
    let deep = |name: usize, depth: usize, files: usize| {
        let folders = format!("{name}:{}d", "x".repeat(name)).repeat(depth);
        v2(format!("{folders}{}{}", many(files, &file), "e".repeat(depth)))
    };
    let root = |n: usize| format!("5:{n:05}d0:d6:lengthi1e11:pieces root32:{n:032}ee");
    vec![
        ("empty lists", format!("l{}e", "le".repeat(100_000)).into_bytes()),
        ("nested lists", format!("l{}e", "lllleeee".repeat(50_000)).into_bytes()),
        ("empty strings", format!("l{}e", "0:".repeat(100_000)).into_bytes()),
        ("lists of one", format!("l{}e", "l0:e".repeat(100_000)).into_bytes()),
        ("dictionaries of one", format!("l{}e", "d0:0:e".repeat(100_000)).into_bytes()),
        ("empty keys", format!("d{}e", "0:0:".repeat(100_000)).into_bytes()),
        ("nameless padding", v1("d4:attr1:p6:lengthi1ee".repeat(20_000))),
        ("files of v1", v1(many(20_000, &|n| format!("d6:lengthi1e4:pathl5:{n:05}ee")))),
        (
            "files of many folders",
            v1(many(500, &|n| format!("d6:lengthi1e4:pathl{}3:{n:03}ee", "0:".repeat(90)))),
        ),
        ("files of v2", v2(many(20_000, &root))),
        ("empty files of v2", v2(many(20_000, &file))),
        ("long folders above many files", deep(240, 90, 500)),
        ("folders at the limit", deep(3, 90, 500)),
        ("folders just below it", deep(240, 1, 20_000)),
    ]
}
