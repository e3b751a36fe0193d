//! Who asks: a key of the data, a session that was begun with one, or the secret of the private channel.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;
use weir_api::{ApiError, App, Context};
use weir_core::error::Code;

use crate::session;

/// How callers prove who they are.
pub enum Auth {
    /// By an API key, or by the session of a console.
    Keys,
    /// By the secret in the owner's note, which only the same user can read.
    Owner(Secret),
}

/// A text that is not for any log.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Secret(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

/// What a caller came with.
pub enum Credential {
    /// A token in `Authorization`.
    Bearer(String),
    /// A session in a cookie.
    Session(String),
}

impl Auth {
    /// What a request came with. A header that its program has set counts before a cookie that its browser has added.
    pub fn credential(&self, parts: &Parts) -> Result<Credential, ApiError> {
        if matches!(self, Auth::Keys)
            && !parts.headers.contains_key(header::AUTHORIZATION)
            && let Some(session) = session::of(&parts.uri, &parts.headers)
        {
            session::guard(parts)?;
            return Ok(Credential::Session(session.to_owned()));
        }
        bearer(&parts.headers, SEND_A_KEY).map(|token| Credential::Bearer(token.to_owned()))
    }

    /// The view of the app that a credential opens, if it is one.
    pub async fn admit(&self, app: &Arc<App>, credential: &Credential) -> Result<Context, ApiError> {
        match (self, credential) {
            (Auth::Keys, Credential::Bearer(token)) => {
                Ok(Context::caller(app.clone(), app.engine.authenticate(token)?))
            }
            (Auth::Keys, Credential::Session(token)) => {
                // On the heap: few requests come this way, and all would carry its state along.
                let session = Box::pin(app.engine.authenticate_session(token)).await?;
                Ok(Context::caller(app.clone(), session.caller))
            }
            (Auth::Owner(secret), Credential::Bearer(token)) if secret.is(token) => Ok(Context::cli(app.clone())),
            (Auth::Owner(_), _) => Err(ApiError::new(Code::InvalidApiKey, "this is not the owner's secret")),
        }
    }

    /// The caller's view of the app, if the caller is one.
    pub async fn context(&self, app: &Arc<App>, parts: &Parts) -> Result<Context, ApiError> {
        self.admit(app, &self.credential(parts)?).await
    }
}

/// The view of a customer's front end with a client token.
pub async fn client(app: &Arc<App>, headers: &HeaderMap) -> Result<Context, ApiError> {
    let token = bearer(headers, "send a client token as `Authorization: Bearer weir_ct_...`")?;
    Ok(Context::client(app.clone(), app.engine.authenticate_client(token).await?))
}

/// The key that a console is signed in with.
pub fn key(headers: &HeaderMap) -> Result<&str, ApiError> {
    bearer(headers, SEND_A_KEY)
}

const SEND_A_KEY: &str = "send an API key as `Authorization: Bearer weir_sk_...`";

fn bearer<'a>(headers: &'a HeaderMap, advice: &str) -> Result<&'a str, ApiError> {
    let missing = || ApiError::new(Code::MissingApiKey, advice);
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let text = value.to_str().map_err(|_| ApiError::new(Code::InvalidApiKey, "this is not one of ours"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => Ok(token.trim()),
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_new_and_never_shown() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert!(one.is(one.reveal()) && !one.is(other.reveal()) && !one.is(""));
        assert_eq!(format!("{one:?}"), "<redacted>");
    }

    #[test]
    fn only_a_bearer_token_is_taken() {
        let code = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers, SEND_A_KEY).map(str::to_owned).map_err(|error| error.code)
        };
        assert_eq!(code(Some("Bearer weir_sk_x")), Ok("weir_sk_x".to_owned()));
        assert_eq!(code(Some("bearer  weir_sk_x ")), Ok("weir_sk_x".to_owned()));
        for value in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic abc"), Some("weir_sk_x")] {
            assert_eq!(code(value), Err(Code::MissingApiKey), "{value:?}");
        }
    }
}
