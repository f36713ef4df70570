//! The values that an email's template receives: the words of its language, filled in.

use std::collections::BTreeMap;

use gateward_domain::Timestamp;
use gateward_domain::email::EmailMessage;
use jiff::tz::Offset;
use minijinja::value::Value;

use super::{TemplateError, Templates, key_name};

/// The words of one email, as the layouts get them.
pub(super) struct Filled {
    pub subject: String,
    values: BTreeMap<&'static str, Value>,
}

impl Filled {
    pub(super) fn values(self) -> BTreeMap<&'static str, Value> {
        self.values
    }
}

impl Templates {
    /// Fills in the words of an email. What is not known has no value, so that a text that does not
    /// ask first is refused when the examples are made.
    pub(super) fn words(
        &self,
        message: &EmailMessage,
        service: &str,
    ) -> Result<Filled, TemplateError> {
        let facts = Value::from(self.facts(message, service)?);
        let text = |key: &str| self.fill(&key_name(key), &facts);
        let own = |key: &str| text(&format!("emails.{}.{key}", message.text));
        let subject = own("subject")?;
        let mut values = BTreeMap::from([
            ("lang", Value::from(&self.language.lang)),
            ("service", Value::from(service)),
            ("subject", Value::from(&subject)),
            ("title", Value::from(own("title")?)),
            ("greeting", Value::from(text("greeting")?)),
            ("closing", Value::from(own("closing")?)),
            ("footer", Value::from(text("footer")?)),
        ]);
        values.insert("paragraphs", Value::from(self.paragraphs(message, own)?));
        let mut facts = vec![text("when")?];
        if message.ip.is_some() {
            facts.push(text("where")?);
        }
        values.insert("facts", Value::from(facts));
        if let Some(link) = &message.link {
            values.insert("link", Value::from(link));
            values.insert("link_by_hand", Value::from(text("link_by_hand")?));
            values.insert("button", Value::from(own("button")?));
        }
        if let Some(code) = &message.code {
            values.insert("code", Value::from(code.expose()));
            values.insert("code_by_hand", Value::from(text("code_by_hand")?));
        }
        if message.expires_at.is_some() {
            values.insert("expires_at", Value::from(text("expires_at")?));
        }
        Ok(Filled { subject, values })
    }

    fn paragraphs(
        &self,
        message: &EmailMessage,
        own: impl Fn(&str) -> Result<String, TemplateError>,
    ) -> Result<Vec<String>, TemplateError> {
        let words = self.language.emails.get(message.text.as_str());
        let count = words.map_or(0, |words| words.paragraphs.len());
        (0..count).map(|number| own(&format!("paragraphs.{number}"))).collect()
    }

    /// What the words may speak of.
    fn facts(
        &self,
        message: &EmailMessage,
        service: &str,
    ) -> Result<BTreeMap<&'static str, Value>, TemplateError> {
        let mut facts = BTreeMap::from([
            ("service", Value::from(service)),
            ("created_at", Value::from(self.time(message.created_at)?)),
        ]);
        if let Some(expires_at) = message.expires_at {
            facts.insert("expires_at", Value::from(self.time(expires_at)?));
        }
        if let Some(ip) = message.ip {
            facts.insert("ip", Value::from(ip.to_canonical().to_string()));
        }
        Ok(facts)
    }

    /// A time as people write it, in UTC.
    fn time(&self, at: Timestamp) -> Result<String, TemplateError> {
        let at = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
        let at = Offset::UTC.to_datetime(at);
        let month = usize::try_from(at.month() - 1).unwrap_or_default();
        let values: BTreeMap<&str, Value> = BTreeMap::from([
            ("year", Value::from(at.year())),
            ("month", Value::from(self.language.months.get(month))),
            ("day", Value::from(at.day())),
            ("hour", Value::from(format!("{:02}", at.hour()))),
            ("minute", Value::from(format!("{:02}", at.minute()))),
        ]);
        self.fill(&key_name("time"), &Value::from(values))
    }
}
