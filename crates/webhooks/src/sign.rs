//! Signatures as Standard Webhooks has them (<https://github.com/standard-webhooks/standard-webhooks>, specification 1.0.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a message is signed with: `v1,` and the base64 of HMAC-SHA256 over id, seconds and body.
pub fn signature(secret: &[u8], id: &str, seconds: i64, body: &str) -> String {
    // HMAC takes keys of any length (RFC 2104), so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of the Standard Webhooks repository: the first of all its implementations but one, the second of that in Rust. The
    /// third is from the documentation of Svix, where the standard comes from.
    #[test]
    fn the_published_vectors_hold() {
        for (secret, id, seconds, body, expected) in [
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                r#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
            (
                "plJ3nmyCDGBKInavdOK15jsl",
                "msg_loFOjxBNrRLzqYUf",
                1_731_705_121,
                r#"{"event_type":"ping","data":{"success":true}}"#,
                "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
            ),
        ] {
            let secret = STANDARD.decode(secret).unwrap();
            assert_eq!(signature(&secret, id, seconds, body), expected);
            for other in [
                signature(&secret, id, seconds + 1, body),
                signature(&secret, &id[1..], seconds, body),
                signature(&secret, id, seconds, &format!("{body} ")),
                signature(&secret[1..], id, seconds, body),
            ] {
                assert_ne!(other, expected);
            }
        }
    }

    /// What the repository's tests have receivers refuse: signatures of something else, and cut off ones.
    #[test]
    fn what_is_published_as_wrong_is_never_signed() {
        let first = (STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let second = (STANDARD.decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap(), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
        let user = r#"{"email":"test@example.com","username":"test_user"}"#;
        for seconds in [1_614_265_330, 1_649_367_553, 1_773_144_000] {
            for signed in [
                signature(&first.0, first.1, seconds, r#"{"test": 2432232314}"#),
                signature(&second.0, second.1, seconds, user),
            ] {
                for wrong in [
                    "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
                    "v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
                    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
                    "v1,R3PTzyfHASBKHH98a7yexTwaJ4yNIcGhFQc1yuN+BPU=",
                    "v1,dawfeoifkpqwoekfpqoekf",
                    "v1,",
                ] {
                    assert_ne!(signed, wrong);
                }
                let encoded = signed.strip_prefix("v1,").unwrap();
                assert_eq!(
                    STANDARD.decode(encoded).unwrap().len(),
                    32,
                    "whole, in the alphabet of the standard, and padded"
                );
            }
        }
    }
}
