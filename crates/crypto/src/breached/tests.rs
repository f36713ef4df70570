//! Lists in both formats, valid and invalid.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// Number of passwords in a test's list.
const LISTED: u32 = 500;

fn password(text: &str) -> Password {
    Password::received(text.to_owned()).unwrap()
}

/// The hashes of the listed passwords, in order, with the number of the password.
fn listed() -> Vec<(String, u32)> {
    let hash = |number| (hash_of(&password(&format!("listed {number}"))).to_string(), number);
    let mut hashes: Vec<(String, u32)> = (0..LISTED).map(hash).collect();
    hashes.sort();
    hashes
}

/// One file of lines, each with another number.
fn whole(hashes: &[(String, u32)], end: &str) -> String {
    hashes.iter().fold(String::new(), |mut text, (hash, number)| {
        write!(text, "{hash}:{}{end}", u64::from(*number) * 977 + 1).unwrap();
        text
    })
}

/// A folder with the ranges of these hashes, in files with such names.
fn ranges(hashes: &[(String, u32)], name: impl Fn(&str) -> String) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (hash, number) in hashes {
        let (prefix, suffix) = hash.split_at(5);
        let path = folder.path().join(name(prefix));
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{before}{suffix}:{}\r\n", number + 1)).unwrap();
    }
    folder
}

fn file(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list"), text).unwrap();
    folder
}

fn open(path: &Path) -> BreachedFiles {
    BreachedFiles::open(path).unwrap()
}

fn refusal(path: &Path) -> String {
    BreachedFiles::open(path).unwrap_err().to_string()
}

/// Looks a hash up in the list at this path.
fn find(path: &Path, hash: &str) -> io::Result<bool> {
    open(path).0.contains(hash)
}

async fn assert_knows_the_listed(list: &BreachedFiles) {
    for number in 0..LISTED {
        let listed = password(&format!("listed {number}"));
        assert!(list.is_breached(&listed).await.unwrap(), "{number}");
    }
}

/// The hash before or after this one, as `change` says.
fn neighbour(hash: &str, change: impl Fn(u32) -> u32) -> String {
    let (rest, last) = hash.split_at(32);
    format!("{rest}{:08X}", change(u32::from_str_radix(last, 16).unwrap()))
}

#[test]
fn a_hash_is_the_sha_1_of_the_bytes() {
    assert_eq!(*hash_of(&password("password")), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
}

/// Row 6.2.12: exactly the passwords on the list are breached, in either format.
#[tokio::test]
async fn a6_2_12_a_password_on_the_list_is_breached() {
    let hashes = listed();
    let folder = ranges(&hashes, str::to_owned);
    let lines = file(&whole(&hashes, "\n"));
    for path in [folder.path(), &lines.path().join("list")] {
        assert_knows_the_listed(&open(path)).await;
    }
    let list = open(&lines.path().join("list"));
    for number in 0..LISTED {
        let other = password(&format!("Listed {number}"));
        assert!(!list.is_breached(&other).await.unwrap(), "{number}");
    }
}

#[test]
fn the_neighbours_of_listed_hashes_are_not_listed() {
    let hashes = listed();
    let folder = ranges(&hashes, |prefix| format!("{prefix}.txt"));
    for end in ["\n", "\r\n"] {
        let text = whole(&hashes, end);
        let files = [file(&text), file(text.trim_end())];
        for path in files.each_ref().map(TempDir::path) {
            for (hash, _) in &hashes {
                assert!(find(&path.join("list"), hash).unwrap(), "{hash}");
                for absent in [neighbour(hash, |it| it ^ 1), neighbour(hash, |it| it ^ 0x10)] {
                    assert!(!find(&path.join("list"), &absent).unwrap(), "{absent}");
                    assert!(!find(folder.path(), &absent).unwrap(), "{absent}");
                }
            }
            for absent in ["0".repeat(40), "F".repeat(40)] {
                assert!(!find(&path.join("list"), &absent).unwrap());
            }
        }
    }
}

#[test]
fn a_short_list_is_searched_whole() {
    let hashes = listed();
    for count in 1..20 {
        let folder = file(&whole(&hashes[..count], "\n"));
        for (index, (hash, _)) in hashes.iter().enumerate() {
            let found = find(&folder.path().join("list"), hash).unwrap();
            assert_eq!(found, index < count, "{index} of {count}");
        }
    }
}

#[test]
fn the_digits_of_names_and_lines_may_be_of_either_case() {
    let hashes = listed();
    let lower: Vec<(String, u32)> =
        hashes.iter().map(|(hash, number)| (hash.to_ascii_lowercase(), *number)).collect();
    let names = [|prefix: &str| prefix.to_owned(), |prefix: &str| format!("{prefix}.txt")];
    for (hashes_in, name) in [(&lower, names[0]), (&lower, names[1]), (&hashes, names[1])] {
        let folder = ranges(hashes_in, name);
        assert!(hashes.iter().all(|(hash, _)| find(folder.path(), hash).unwrap()));
    }
    let lines = file(&whole(&lower, "\n"));
    assert!(hashes.iter().all(|(hash, _)| find(&lines.path().join("list"), hash).unwrap()));
}

#[test]
fn a_line_that_was_never_seen_is_padding() {
    let (hash, _) = &listed()[0];
    let lines = file(&format!("{hash}:0\n"));
    assert!(!find(&lines.path().join("list"), hash).unwrap());
    let (prefix, suffix) = hash.split_at(5);
    fs::write(lines.path().join(prefix), format!("{suffix}:0")).unwrap();
    assert!(!find(lines.path(), hash).unwrap());
}

#[test]
fn the_longest_line_is_read() {
    let hashes = &listed()[..3];
    let lines: Vec<String> =
        hashes.iter().map(|(hash, _)| format!("{hash}:{}\r\n", u64::MAX)).collect();
    let folder = file(&lines.concat());
    for (hash, _) in hashes {
        assert!(find(&folder.path().join("list"), hash).unwrap());
    }
}

/// Such as a file of another list, or one with a similar name.
#[test]
fn a_file_whose_name_is_no_range_is_not_read() {
    for name in ["README", "words", "0000", "000000", "0000G.txt", "00000.zip"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "0:1\n").unwrap();
        assert!(refusal(folder.path()).contains("holds no range file"), "{name}");
    }
}

#[tokio::test]
async fn a_range_file_that_is_missing_or_broken_is_an_error_that_names_no_range() {
    let hashes = listed();
    let (prefix, suffix) = hashes[0].0.split_at(5);
    let folder = ranges(&hashes[1..], str::to_owned);
    let listed = password(&format!("listed {}", hashes[0].1));
    let list = open(folder.path());
    let error = list.is_breached(&listed).await.unwrap_err();
    assert_eq!(error.0.to_string(), "a range file is missing");
    let long = format!("{suffix}:{}\n", "1".repeat(100_000));
    let huge = format!("{}:1\n", "0".repeat(35)).repeat(30_000);
    let cut = &suffix[..20];
    let bad =
        ["", "\n", cut, "<html>", &long, &huge, &format!("{suffix}:\n"), &format!("{suffix}:+1")];
    for text in bad {
        fs::write(folder.path().join(prefix), text).unwrap();
        let error = list.is_breached(&listed).await.unwrap_err().0.to_string();
        assert!(!error.contains(prefix), "{error}");
    }
    fs::write(folder.path().join(prefix), format!("{suffix}:1\n")).unwrap();
    assert!(list.is_breached(&listed).await.unwrap());
}

#[test]
fn what_is_no_list_is_refused_when_it_is_opened() {
    let (hash, _) = &listed()[0];
    let ntlm = &hash[..32];
    let long = format!("{hash}:{}\n", "1".repeat(100_000));
    for (text, why) in [
        (String::new(), "is empty"),
        ("password\nletmein\n".to_owned(), "is not a SHA-1 hash"),
        (format!("{ntlm}:1\n"), "is not a SHA-1 hash"),
        (format!("{hash}:many\n"), "is not a SHA-1 hash"),
        (long, "is too long"),
    ] {
        let folder = file(&text);
        let said = refusal(&folder.path().join("list"));
        assert!(said.contains(why) && said.contains("list"), "{said}");
        assert!(refusal(folder.path()).contains("holds no range file"));
        fs::write(folder.path().join("00000.txt"), &text).unwrap();
        assert!(refusal(folder.path()).contains("00000.txt"));
    }
    assert!(refusal(Path::new("/nowhere/at/all")).contains("/nowhere/at/all"));
}

#[test]
fn a_file_that_is_not_in_the_order_of_its_hashes_is_refused() {
    let mut hashes = listed();
    hashes.sort_by_key(|(_, number)| *number);
    let folder = file(&whole(&hashes, "\n"));
    assert!(refusal(&folder.path().join("list")).contains("not in order"));
    let folder = file(&whole(&listed()[..2].iter().rev().cloned().collect::<Vec<_>>(), "\n"));
    assert!(refusal(&folder.path().join("list")).contains("not in order"));
}

#[test]
fn a_broken_line_on_the_way_is_an_error() {
    let hashes = listed();
    let (from, until) = (&hashes[..250], &hashes[251..]);
    for broken in ["rubbish\n".to_owned(), "0".repeat(1000)] {
        let folder = file(&format!("{}{broken}\n{}", whole(from, "\n"), whole(until, "\n")));
        let sorted = Sorted::open(&folder.path().join("list")).unwrap();
        assert!(sorted.contains(&hashes[250].0).is_err());
    }
}
