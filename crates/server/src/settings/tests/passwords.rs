//! Settings of passwords: the list of breached ones.

use gateward_app::domain::Password;

use super::*;

/// The SHA-1 of "password", the first five digits apart.
const PREFIX: &str = "5BAA6";
const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

/// Whether each of two passwords is breached by the list at this path.
async fn breached(path: &Path) -> [bool; 2] {
    let path = path.display().to_string();
    let list = with(&[("password.breached_list", &path)]).unwrap().breached;
    let is = async |text: &str| {
        list.is_breached(&Password::received(text.to_owned()).unwrap()).await.unwrap()
    };
    // The SHA-1 of the other one begins alike, so that its range is there.
    [is("password").await, is("gateddybe").await]
}

#[tokio::test]
async fn without_a_list_no_password_is_breached() {
    let list = with(&[]).unwrap().breached;
    let password = Password::received("password".to_owned()).unwrap();
    assert!(!list.is_breached(&password).await.unwrap());
}

#[tokio::test]
async fn a_list_of_breached_passwords_is_a_folder_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join(PREFIX), &format!("{SUFFIX}:9\r\n"), 0o644);
    let file = folder.path().join("whole.txt");
    write(&file, &format!("{PREFIX}{SUFFIX}:9\n"), 0o644);
    assert_eq!(breached(folder.path()).await, [true, false]);
    assert_eq!(breached(&file).await, [true, false]);
}

#[test]
fn a_list_that_is_none_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().display().to_string();
    let option = "password.breached_list";
    refused(with(&[(option, &empty)]), option, "holds no range file");
    let plain = write(&folder.path().join("plain.txt"), "123456\nhunter2\n", 0o644);
    refused(with(&[(option, &plain)]), option, "one file of sorted hashes");
    let text = with(&[(option, &plain)]).err().unwrap()[0].to_string();
    assert!(text.contains("plain.txt") && !text.contains("hunter2"), "{text}");
}
