//! One old word put back anywhere is refused, and other words are left alone.

use super::list::{IN_NAMES, IN_PROSE};
use super::matcher::{Vocabulary, split};
use super::prose::Phrases;
use super::{refused, refused_in_prose};

/// The names that are refused in a file, each with its old word.
fn found(path: &str, text: &str) -> Vec<(String, String)> {
    let between = |line: &str, mark: char| line.split(mark).nth(1).map(str::to_owned);
    refused(&Vocabulary::new(IN_NAMES), path, text)
        .iter()
        .filter_map(|line| Some((between(line, '`')?, between(line, '"')?)))
        .collect()
}

fn assert_refused(path: &str, text: &str, name: &str, word: &str) {
    assert_eq!(found(path, text), [(name.to_owned(), word.to_owned())], "{path}: {text}");
}

fn assert_accepted(path: &str, text: &str) {
    assert_eq!(found(path, text), [], "{path}: {text}");
}

/// The refused words in the sentences of a file.
fn found_in_prose(path: &str, text: &str) -> Vec<String> {
    let found = refused_in_prose(&Phrases::new(IN_PROSE), path, text);
    found.iter().filter_map(|line| line.split('"').rev().nth(1).map(str::to_owned)).collect()
}

#[test]
fn names_are_split_at_marks_and_at_changes_of_case() {
    for (name, words) in [
        ("QueuedLetter", "queued letter"),
        ("HTTPServer", "http server"),
        ("MAX_LETTERS", "max letters"),
        ("gateward_mail_total", "gateward mail total"),
        ("rate-limit.window", "rate limit window"),
        ("f19_letter2", "f 19 letter 2"),
        ("__Host-x", "host x"),
        ("", ""),
    ] {
        assert_eq!(split(name).join(" "), words, "{name}");
    }
}

#[test]
fn inflections_are_the_same_word() {
    for (name, word) in [
        ("letters", "letter"),
        ("StrikesOfUser", "strike"),
        ("tallies", "tally"),
        ("weighed_twice", "weigh"),
        ("weighing", "weigh"),
        ("is_forgiven", "forgive"),
        ("forgives", "forgive"),
        ("pathways", "pathway"),
        ("Occurrences", "occurrence"),
        ("deeds", "deed"),
        ("login_disowned", "disown"),
        ("disowns", "disown"),
        ("chapters", "chapter"),
        ("Bonds", "bond"),
        ("NodeMemory", "node_memory"),
        ("refresh_caught_up_total", "caught_up"),
    ] {
        assert_refused("a.rs", &format!("let {name} = 1;"), name, word);
    }
}

#[test]
fn other_words_are_left_alone() {
    for name in [
        "totally",
        "indeed",
        "recommend",
        "unweighted",
        "weight",
        "bell_letterhead",
        "newsletter",
        "new_s",
        "striker_fund",
        "memory_node",
        "caught_it_up",
        "begin",
        "unbonded",
        "vagabond",
        "lettre",
        "acknowledge",
        "deedless",
    ] {
        assert_accepted("a.rs", &format!("fn {name}() {{}}"));
    }
}

#[test]
fn an_old_word_in_rust_is_refused() {
    assert_refused("a.rs", "struct QueuedLetter;", "QueuedLetter", "letter");
    assert_refused("a.rs", "mod aftermath;", "aftermath", "aftermath");
    assert_refused("a.rs", "fn no_letter_is_lost() {}", "no_letter_is_lost", "letter");
    assert_refused("a.rs", "fn f<'a>(x: &'a News) {}", "News", "news");
    assert_refused("a.rs", r#"("letter", 1)"#, "letter", "letter");
    assert_refused("a.rs", r#"t("{\"letter\": 1}")"#, "letter", "letter");
    assert_refused("a.rs", r##"t(r#"{"letter": 1}"#)"##, "letter", "letter");
    assert_refused("a.rs", r#"get("/v1/letters/1")"#, "letters", "letter");
    assert_refused("a.rs", r#"t("no {letter:?} left")"#, "letter", "letter");
    assert_refused("a.rs", r#"t("\nthe letter_sent state")"#, "letter_sent", "letter");
    assert_refused("a.rs", r#"q("SELECT 1 FROM letters l")"#, "letters", "letter");
    assert_refused("a.rs", r#"run("mail list --letter 1")"#, "letter", "letter");
    assert_refused("a.rs", r#"[b'"', '\'' as u8, '"' as u8]; strike"#, "strike", "strike");
}

#[test]
fn comments_and_prose_are_left_alone() {
    assert_accepted("a.rs", "/// A letter. `letter_sent`\n// news\n/* strike */ fn f() {}");
    assert_accepted("a.rs", r#"t("a letter is waiting, and no news")"#);
    assert_accepted("a.rs", r#"t("{name} has a letter")"#);
    assert_accepted("docs/a.md", "A letter: `letter_sent`.");
    assert_accepted("a.toml", "# How letters are sent.\nx = \"Where letters go\"");
    assert_accepted("a.sql", "-- The letters.\nSELECT 1;");
}

#[test]
fn an_old_word_in_sql_is_refused() {
    assert_refused("up.sql", "CREATE TABLE letters (id TEXT);", "letters", "letter");
    assert_refused("up.sql", "CHECK (kind IN ('caught_up'))", "caught_up", "caught_up");
    assert_refused("up.sql", "NOTIFY gateward_news;", "gateward_news", "news");
}

#[test]
fn an_old_word_in_the_api_document_is_refused() {
    assert_refused("openapi.json", r#"{"schemas": {"Letter": {}}}"#, "Letter", "letter");
    assert_refused("openapi.json", r#"{"enum": ["sent", "begun"]}"#, "begun", "begun");
    assert_refused("openapi.json", r#"{"paths": {"/v1/news/{id}": 1}}"#, "news", "news");
    assert_refused("openapi.json", r#"{"operationId": "disownLogin"}"#, "disownLogin", "disown");
    assert_accepted("openapi.json", r#"{"description": "A letter is sent."}"#);
}

#[test]
fn an_old_word_in_a_setting_is_refused() {
    assert_refused("config/a.toml", "letters_max = 1", "letters_max", "letter");
    assert_refused("config/a.toml", "[strikes]", "strikes", "strike");
    assert_refused("config/a.toml", "go = \"letters\"", "letters", "letter");
}

#[test]
fn an_old_word_in_a_metric_or_a_label_is_refused() {
    let board = r#"{"expr": "sum by (pathway) (rate(gateward_x_total[5m]))"}"#;
    assert_refused("dashboard.json", board, "pathway", "pathway");
    assert_refused("dashboard.json", r#"{"legendFormat": "{{pathway}}"}"#, "pathway", "pathway");
    assert_accepted("dashboard.json", r#"{"title": "Letters that wait"}"#);
    assert_refused("alerts.yml", "- alert: LettersWait", "LettersWait", "letter");
    assert_refused("alerts.yml", "s: \"{{ $labels.pathway }}\"", "labels.pathway", "pathway");
}

#[test]
fn an_old_word_in_a_template_is_refused() {
    assert_refused("a.html", "<p>{{ letter }}</p>", "letter", "letter");
    assert_refused("a.html", "{% if letter %}A letter{% endif %}", "letter", "letter");
    assert_refused("a.html", "<p class=\"letter\">A letter</p>", "letter", "letter");
    assert_refused("a.css", ".letter { letter-spacing: 1px }", "letter", "letter");
    assert_refused("en.toml", "x = \"{{ letter }} is a letter\"", "letter", "letter");
}

#[test]
fn an_old_word_in_the_name_of_a_file_or_folder_is_refused() {
    assert_refused("crates/smtp/letters/en.toml", "", "letters", "letter");
    assert_refused("tests/e2e/node_memory.rs", "", "node_memory.rs", "node_memory");
    assert_refused("docs/decisions/0011-letters-wait.md", "", "0011-letters-wait.md", "letter");
}

#[test]
fn a_finding_names_file_line_name_word_and_replacement() {
    let text = "fn f() {}\nfn g() {\n    t(\"one\n    letter_sent\");\n    weighed();\n}";
    assert_eq!(
        refused(&Vocabulary::new(IN_NAMES), "crates/app/src/a.rs", text),
        [
            "crates/app/src/a.rs:4: `letter_sent` uses \"letter\"; write email (outbox_email, email_message, email_template)",
            "crates/app/src/a.rs:5: `weighed` uses \"weigh\"; write check",
        ]
    );
}

#[test]
fn an_old_word_in_a_sentence_is_refused() {
    for (path, text, word) in [
        ("a.rs", "// Whoever asks.", "whoever"),
        ("a.rs", "/// It is\n/// told then.", "is told"),
        ("a.rs", "    // The session is\n    //   over.", "is over"),
        ("a.rs", "/* a\n * letter */", "letter"),
        ("a.rs", "t(\"Nobody can log in.\")", "nobody"),
        ("a.rs", "t(\"{name} wants a user\")", "wants a"),
        ("a.rs", "t(\"it\\\n   is no more\")", "is no more"),
        ("a.md", "Fix this:\n> Mended links\n> stay.", "mend"),
        ("a.md", "A *log-in* starts", "log-in"),
        ("a.toml", "# Set it anew", "anew"),
        ("a.toml", "x = \"It stands in the log.\"", "stands in"),
        ("a.sql", "-- By chance.", "chance"),
        ("a.html", "<p>Somebody has asked</p>", "somebody"),
        ("openapi.json", r#"{"description": "The link is good until then."}"#, "is good until"),
    ] {
        assert_eq!(found_in_prose(path, text), [word], "{path}: {text}");
    }
}

#[test]
fn names_in_sentences_and_other_words_are_left_alone() {
    for (path, text) in [
        ("a.rs", "let nobody = 1; // We recommend it."),
        ("a.rs", "(\"nobody\", 1)"),
        ("a.rs", "t(\"no user \\\"nobody\\\"; see nobody@example.org, /letters/1\")"),
        ("a.rs", "t(\"q=nobody nobody:{SECRET} {nobody}\")"),
        ("a.rs", "/// Letters and digits, see `letter`.\nfn chance() {}"),
        ("a.rs", "/// This is.\nlet x = 1;\n/// Over there."),
        ("a.css", "a { letter-spacing: 1px }"),
        ("a.md", "The moon is overhead, and he wants an_option."),
    ] {
        assert_eq!(found_in_prose(path, text), [""; 0], "{path}: {text}");
    }
}
