//! `gateward mail render`: every email with example data, for authors of templates.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use gateward_email::{MailSettings, Templates};

use crate::commands::tell;

/// The file that marks an output folder: the emails beside it may be overwritten.
const MARK: &str = ".gateward-emails";

/// The content of the marker file.
const MARK_TEXT: &str =
    "`gateward mail render` wrote the emails in this folder and overwrites them.\n";

/// Writes each email as `NAME.subject`, `NAME.txt` and `NAME.html`.
pub(super) fn render(folder: &Path, settings: &MailSettings) -> anyhow::Result<()> {
    let templates = match &settings.templates {
        Some(of) => {
            refuse_templates(folder, of)?;
            Templates::with_folder(of)?
        }
        None => Templates::built_in()?,
    };
    let emails = templates.samples(&service(settings))?;
    let mut files = Vec::new();
    for (message, rendered) in emails {
        files.push((format!("{message}.subject"), format!("{}\n", rendered.subject)));
        files.push((format!("{message}.txt"), rendered.text));
        files.push((format!("{message}.html"), rendered.html));
    }
    write(folder, &files)?;
    tell(&format!("Wrote {} files to {}.", files.len(), folder.display()));
    Ok(())
}

/// The service name in emails: the sender's name, or the host.
fn service(settings: &MailSettings) -> String {
    let host = url::Url::parse(&settings.public_url);
    let host = host.ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    settings.from.name().map_or(host, str::to_owned)
}

/// Rendered emails in the template folder would be read as templates at the next start.
fn refuse_templates(folder: &Path, templates: &Path) -> anyhow::Result<()> {
    let same = fs::canonicalize(folder).ok().zip(fs::canonicalize(templates).ok());
    if same.is_some_and(|(one, other)| one == other) {
        bail!("{} is mail.templates; choose another folder", folder.display());
    }
    Ok(())
}

/// Writes the files; overwrites only those of an earlier run.
fn write(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    let shown = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("cannot create {shown}"))?;
    let mark = folder.join(MARK);
    let theirs = files.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok());
    if let Some((name, _)) = theirs.filter(|_| !mark.is_file()) {
        bail!("{shown} contains a {name} from elsewhere; choose another folder");
    }
    let mark = (MARK.to_owned(), MARK_TEXT.to_owned());
    for (name, text) in [&mark].into_iter().chain(files) {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gateward_app::domain::email::EmailTemplate;
    use gateward_email::Sender;

    use super::*;

    fn settings(from: &str, templates: Option<&Path>) -> MailSettings {
        MailSettings {
            from: Sender::parse(from).unwrap(),
            public_url: "https://auth.example.org".to_owned(),
            templates: templates.map(Path::to_owned),
        }
    }

    #[test]
    fn every_email_is_written_and_may_be_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/emails");
        render(&folder, &settings("Notes <a@example.org>", None)).unwrap();
        for message in EmailTemplate::ALL {
            let read = |ending: &str| {
                fs::read_to_string(folder.join(format!("{message}.{ending}"))).unwrap()
            };
            assert!(read("subject").contains("Notes"), "{message}");
            assert!(read("txt").contains("Notes"), "{message}");
            assert!(read("html").contains("<html"), "{message}");
        }
        render(&folder, &settings("a@example.org", None)).unwrap();
        let subject = fs::read_to_string(folder.join("reset_password.subject")).unwrap();
        assert!(subject.contains("auth.example.org"), "{subject}");
    }

    #[test]
    fn a_file_from_elsewhere_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reset_password.txt");
        fs::write(&path, "mine").unwrap();
        let refused = render(folder.path(), &settings("a@example.org", None)).unwrap_err();
        assert!(refused.to_string().contains("contains a reset_password.txt from elsewhere"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");

        fs::remove_file(&path).unwrap();
        fs::write(folder.path().join("diary.txt"), "mine").unwrap();
        render(folder.path(), &settings("a@example.org", None)).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("diary.txt")).unwrap(), "mine");
    }

    #[test]
    fn emails_are_not_written_among_the_templates() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings("a@example.org", Some(folder.path()));
        let refused = render(&folder.path().join("."), &settings).unwrap_err();
        assert!(refused.to_string().contains("is mail.templates"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
