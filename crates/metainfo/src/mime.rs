//! Which media type a file is served as. Decided by its ending alone: contents are never sniffed.

/// What a file of unknown kind is served as: browsers download it and run nothing.
const UNKNOWN: &str = "application/octet-stream";

/// Endings in lower case with their media types.
const TYPES: &[(&str, &str)] = &[
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("avi", "video/x-msvideo"),
    ("ogv", "video/ogg"),
    ("mpg", "video/mpeg"),
    ("mpeg", "video/mpeg"),
    ("ts", "video/mp2t"),
    ("m2ts", "video/mp2t"),
    ("wmv", "video/x-ms-wmv"),
    ("flv", "video/x-flv"),
    ("3gp", "video/3gpp"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("flac", "audio/flac"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("ico", "image/x-icon"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("md", "text/plain; charset=utf-8"),
    ("nfo", "text/plain; charset=utf-8"),
    ("log", "text/plain; charset=utf-8"),
    ("srt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("xml", "text/xml; charset=utf-8"),
    ("json", "application/json"),
    ("wasm", "application/wasm"),
    ("pdf", "application/pdf"),
    ("epub", "application/epub+zip"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("mpd", "application/dash+xml"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("ttf", "font/ttf"),
    ("otf", "font/otf"),
];

/// The media type of a file by its name; `application/octet-stream` when it is not known.
pub fn mime_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, ending)) = name.rsplit_once('.') else { return UNKNOWN };
    let known = TYPES.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known));
    known.map_or(UNKNOWN, |(_, mime)| mime)
}

/// Whether a browser runs scripts inside this media type when it is opened as a page. Whoever
/// serves it must send `Content-Security-Policy: sandbox`, or it acts as the serving site.
pub fn runs_scripts(mime: &str) -> bool {
    let kind = mime.split(';').next().unwrap_or(mime);
    matches!(kind, "text/html" | "text/xml" | "image/svg+xml" | "application/pdf")
        || kind.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides() {
        for (path, expect) in [
            ("film.mp4", "video/mp4"),
            ("a/b.c/FILM.MKV", "video/x-matroska"),
            ("notes.txt", "text/plain; charset=utf-8"),
            ("subs.en.vtt", "text/vtt; charset=utf-8"),
            ("page.html", "text/html; charset=utf-8"),
            ("film.mp4/readme", "application/octet-stream"),
            ("mp4", "application/octet-stream"),
            ("x.exe", "application/octet-stream"),
            ("x.mp4\r\nset-cookie: a", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(mime_type(path), expect, "{path}");
        }
    }

    #[test]
    fn endings_are_distinct_and_lower_case() {
        let mut endings: Vec<_> = TYPES.iter().map(|(ending, _)| *ending).collect();
        assert!(endings.iter().all(|ending| *ending == ending.to_lowercase()));
        endings.sort_unstable();
        endings.dedup();
        assert_eq!(endings.len(), TYPES.len());
    }

    #[test]
    fn types_that_run_scripts_are_known() {
        assert!(runs_scripts(mime_type("a.svg")) && runs_scripts(mime_type("a.htm")));
        assert!(!runs_scripts(mime_type("a.mp4")) && !runs_scripts(mime_type("a.txt")));
    }
}
