//! The dialects: the wires of other systems, as thin translations onto the same use cases.
//!
//! A handler of a dialect returns a response for each outcome that its wire names, and a
//! [`Problem`] for anything else; [`refused`] renders that in the dialect's form.

mod flask;
mod simplejwt;

use std::collections::BTreeSet;

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

pub use self::flask::{Flask, FlaskTransport};
pub use self::simplejwt::SimpleJwt;
use crate::Options;
use crate::problem::Problem;
use crate::routes::Endpoint;

/// The dialects of an installation. All are off by default.
#[derive(Clone, Debug, Default)]
pub struct Dialects {
    /// The wire of djangorestframework-simplejwt and djoser.
    pub simplejwt: Option<SimpleJwt>,
    /// The wire of Flask-JWT-Extended.
    pub flask: Option<Flask>,
}

impl Dialects {
    /// Whether none is on.
    pub(crate) const fn are_off(&self) -> bool {
        self.simplejwt.is_none() && self.flask.is_none()
    }
}

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SimpleJwt,
    Flask,
}

/// The endpoints of the dialects that are on.
pub(crate) fn endpoints(options: &Options) -> Vec<Endpoint> {
    let Dialects { simplejwt, flask } = &options.dialects;
    let mut endpoints = Vec::new();
    if simplejwt.is_some() {
        endpoints.extend(simplejwt::endpoints());
    }
    if let Some(flask) = flask {
        endpoints.extend(flask::endpoints(flask));
    }
    endpoints
}

/// A path of a dialect that is taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Collision {
    /// The name of the dialect.
    pub dialect: &'static str,
    /// The path.
    pub path: String,
    /// What else has the path.
    pub other: String,
}

/// Returns the paths that a dialect shares with a route of the service or with another dialect.
#[must_use]
pub fn collisions(options: &Options) -> Vec<Collision> {
    let plain = Options { dialects: Dialects::default(), docs: true, ..options.clone() };
    let own: BTreeSet<String> =
        crate::endpoints::all(&plain).iter().map(|own| own.full_path(&plain)).collect();
    let paths = |endpoints: Vec<Endpoint>| -> BTreeSet<String> {
        endpoints.iter().map(|endpoint| endpoint.full_path(options)).collect()
    };
    let Dialects { simplejwt, flask } = &options.dialects;
    let simplejwt = simplejwt.as_ref().map(|_| paths(simplejwt::endpoints())).unwrap_or_default();
    let flask = flask.as_ref().map(|flask| paths(flask::endpoints(flask))).unwrap_or_default();
    let mut collisions = Vec::new();
    for (dialect, paths) in [("simplejwt", &simplejwt), ("flask", &flask)] {
        for path in paths {
            let taken = own.iter().find(|own| ResourceDef::new(own.as_str()).is_match(path));
            collisions.extend(taken.map(|own| Collision {
                dialect,
                path: path.clone(),
                other: format!("the path {own} of the service"),
            }));
        }
    }
    collisions.extend(flask.intersection(&simplejwt).map(|path| Collision {
        dialect: "flask",
        path: path.clone(),
        other: "a path of the dialect simplejwt".to_owned(),
    }));
    collisions
}

/// Renders a problem in the form of the request's dialect. `None` if the path belongs to none.
pub(crate) fn refused(
    request: &HttpRequest,
    options: &Options,
    response: &mut HttpResponseBuilder,
    problem: &Problem,
) -> Option<HttpResponse> {
    Some(match kind(request, options)? {
        Kind::SimpleJwt => simplejwt::refused(request, response, problem),
        Kind::Flask => flask::refused(response, problem),
    })
}

fn kind(request: &HttpRequest, options: &Options) -> Option<Kind> {
    let pattern = request.match_pattern()?;
    let Dialects { simplejwt, flask } = &options.dialects;
    if simplejwt.is_some() && simplejwt::owns(&pattern) {
        return Some(Kind::SimpleJwt);
    }
    flask.as_ref().is_some_and(|flask| flask.owns(&pattern)).then_some(Kind::Flask)
}
