//! SCRAM (RFC 5802, RFC 7677) without channel binding, as Kafka's brokers speak it.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom as _;
use ring::{digest, hmac, pbkdf2};

use super::Secret;

/// Fewer iterations are not worth the name: RFC 7677's least, and that of Kafka.
const ITERATIONS_MIN: u32 = 4_096;
/// More would let a broker hold a thread for seconds. Kafka's own most is 16,384.
const ITERATIONS_MAX: u32 = 1_000_000;
/// The header of a client that binds no channel, and its base64 for the last message.
const GS2_HEADER: &str = "n,,";
const GS2_HEADER_BASE64: &str = "biws";

/// Which hash function SCRAM uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// No broker speaks it; the exchange that RFC 5802 shows does.
    #[cfg(test)]
    Sha1,
    Sha256,
    Sha512,
}

/// The first message is sent and the broker's answer awaited.
pub(super) struct Begun<'a> {
    hash: Hash,
    password: &'a Secret,
    nonce: String,
    /// The first message without its header.
    bare: String,
}

/// The proof is sent and the broker's own awaited.
#[derive(Debug)]
pub(super) struct Proven {
    server_signature: Vec<u8>,
}

/// A nonce that nobody can foresee.
pub(super) fn nonce() -> Result<String, String> {
    let mut random = [0; 24];
    ring::rand::SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(STANDARD.encode(random))
}

/// The first message, and what awaits its answer.
pub(super) fn begin<'a>(
    hash: Hash,
    user: &str,
    password: &'a Secret,
    nonce: String,
) -> (String, Begun<'a>) {
    let user = user.replace('=', "=3D").replace(',', "=2C");
    let bare = format!("n={user},r={nonce}");
    (format!("{GS2_HEADER}{bare}"), Begun { hash, password, nonce, bare })
}

impl Begun<'_> {
    /// The last message: the proof that the password is known.
    pub(super) fn prove(self, challenge: &[u8]) -> Result<(String, Proven), String> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| malformed("is not text"))?;
        let mut parts = challenge.split(',');
        let mut part = |name: &str| {
            let part = parts.next().unwrap_or_default();
            part.strip_prefix(name).ok_or_else(|| malformed(&format!("has no `{name}`")))
        };
        let nonce = part("r=")?;
        let salt = STANDARD.decode(part("s=")?).map_err(|_| malformed("has no readable salt"))?;
        let iterations: u32 = part("i=")?.parse().map_err(|_| malformed("has no iterations"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(malformed("answers somebody else"));
        }
        let iterations = NonZeroU32::new(iterations)
            .filter(|n| (ITERATIONS_MIN..=ITERATIONS_MAX).contains(&n.get()))
            .ok_or_else(|| {
                format!(
                    "it keeps the password with {iterations} iterations; {ITERATIONS_MIN} to \
                     {ITERATIONS_MAX} are accepted"
                )
            })?;

        let algorithms = self.hash.algorithms();
        let mut salted = vec![0; algorithms.digest.output_len()];
        let password = self.password.reveal().as_bytes();
        pbkdf2::derive(algorithms.pbkdf2, iterations, &salt, password, &mut salted);
        let salted = hmac::Key::new(algorithms.hmac, &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let server_key = hmac::sign(&salted, b"Server Key");
        let stored_key = digest::digest(algorithms.digest, client_key.as_ref());

        let without_proof = format!("c={GS2_HEADER_BASE64},r={nonce}");
        let message = format!("{},{challenge},{without_proof}", self.bare);
        let sign =
            |key: &[u8]| hmac::sign(&hmac::Key::new(algorithms.hmac, key), message.as_bytes());
        let client_signature = sign(stored_key.as_ref());
        let server_signature = sign(server_key.as_ref()).as_ref().to_vec();
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(client_signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        Ok((last, Proven { server_signature }))
    }
}

impl Proven {
    /// Whether the broker knows the password as well.
    pub(super) fn verify(&self, verdict: &[u8]) -> Result<(), String> {
        let verdict = std::str::from_utf8(verdict).map_err(|_| malformed("is not text"))?;
        if let Some(error) = verdict.strip_prefix("e=") {
            return Err(format!("it refuses the password: {error}"));
        }
        let first = verdict.split(',').next().unwrap_or_default();
        let signature = first.strip_prefix("v=").and_then(|text| STANDARD.decode(text).ok());
        if signature.as_deref() != Some(&self.server_signature[..]) {
            return Err("it cannot prove that it knows the password, so it is not the broker it \
                        should be"
                .to_owned());
        }
        Ok(())
    }
}

struct Algorithms {
    pbkdf2: pbkdf2::Algorithm,
    hmac: hmac::Algorithm,
    digest: &'static digest::Algorithm,
}

impl Hash {
    fn algorithms(self) -> Algorithms {
        match self {
            #[cfg(test)]
            Self::Sha1 => Algorithms {
                pbkdf2: pbkdf2::PBKDF2_HMAC_SHA1,
                hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
            },
            Self::Sha256 => Algorithms {
                pbkdf2: pbkdf2::PBKDF2_HMAC_SHA256,
                hmac: hmac::HMAC_SHA256,
                digest: &digest::SHA256,
            },
            Self::Sha512 => Algorithms {
                pbkdf2: pbkdf2::PBKDF2_HMAC_SHA512,
                hmac: hmac::HMAC_SHA512,
                digest: &digest::SHA512,
            },
        }
    }
}

fn malformed(what: &str) -> String {
    format!("its SCRAM message {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One exchange as a standard prints it.
    struct Vector {
        hash: Hash,
        user: &'static str,
        password: &'static str,
        nonce: &'static str,
        first: &'static str,
        challenge: &'static str,
        last: &'static str,
        verdict: &'static str,
    }

    /// RFC 7677, section 3.
    const SHA256: Vector = Vector {
        hash: Hash::Sha256,
        user: "user",
        password: "pencil",
        nonce: "rOprNGfwEbeRWgbNEkqO",
        first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        challenge: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        last: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
               p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        verdict: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    };

    /// RFC 5802, section 5.
    const SHA1: Vector = Vector {
        hash: Hash::Sha1,
        user: "user",
        password: "pencil",
        nonce: "fyko+d2lbbFgONRv9qkxdawL",
        first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        challenge: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        last: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        verdict: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    };

    /// No standard has one: made with Python's hashlib and hmac.
    const SHA512: Vector = Vector {
        hash: Hash::Sha512,
        user: "user",
        password: "pencil",
        nonce: "rOprNGfwEbeRWgbNEkqO",
        first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        challenge: "r=rOprNGfwEbeRWgbNEkqO02431b08-2f0a-4bad-a4e6-80c0acb6ad65,\
                    s=Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=,i=4096",
        last: "c=biws,r=rOprNGfwEbeRWgbNEkqO02431b08-2f0a-4bad-a4e6-80c0acb6ad65,\
               p=1+Yn5LqXRCwpcXTvEeAAmBrBzH35xAIrGJpGJ6BhDSd+ZUmSlTBzmxYTa5bASZSE0vfns7O7IE7dIqiap0PNUw==",
        verdict: "v=oLKP/EpNIqHuHEtTvLXuXxFqfeLhRPoVIpVMf1MhgzBqfevy947G8Z1X7DOUuiNg4LPIyWVch1riYyHz07LlSg==",
    };

    #[track_caller]
    fn check(vector: &Vector) {
        let password = Secret::new(vector.password);
        let (first, begun) = begin(vector.hash, vector.user, &password, vector.nonce.to_owned());
        assert_eq!(first, vector.first);
        let (last, proven) = begun.prove(vector.challenge.as_bytes()).unwrap();
        assert_eq!(last, vector.last);
        assert_eq!(proven.verify(vector.verdict.as_bytes()), Ok(()));
    }

    /// What becomes of an exchange with `challenge` and `verdict`.
    #[track_caller]
    fn refuse(challenge: &str, verdict: &str, expected: &str) {
        let password = Secret::new("pencil");
        let (_, begun) = begin(Hash::Sha256, "user", &password, SHA256.nonce.to_owned());
        let proven = begun.prove(challenge.as_bytes());
        let said = proven.and_then(|(_, proven)| proven.verify(verdict.as_bytes())).unwrap_err();
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn exchanges_are_as_the_standards_show_them() {
        check(&SHA1);
        check(&SHA256);
        check(&SHA512);
    }

    #[test]
    fn a_user_name_is_escaped() {
        let password = Secret::new("pencil");
        let (first, _) = begin(Hash::Sha512, "a=b,c", &password, "x".to_owned());
        assert_eq!(first, "n,,n=a=3Db=2Cc,r=x");
    }

    #[test]
    fn a_broker_that_does_not_know_the_password_is_refused() {
        let other = "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        refuse(SHA256.challenge, other, "cannot prove that it knows the password");
        refuse(SHA256.challenge, "", "cannot prove that it knows the password");
        refuse(SHA256.challenge, "e=invalid-proof", "refuses the password: invalid-proof");
    }

    #[test]
    fn a_challenge_that_is_none_is_refused() {
        refuse("r=somebody-else,s=QUJD,i=4096", "", "answers somebody else");
        refuse("r=rOprNGfwEbeRWgbNEkqO,s=QUJD,i=4096", "", "answers somebody else");
        refuse("r=rOprNGfwEbeRWgbNEkqO1,s=?,i=4096", "", "has no readable salt");
        refuse("r=rOprNGfwEbeRWgbNEkqO1,i=4096", "", "has no `s=`");
        refuse("m=ext,r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=4096", "", "has no `r=`");
        refuse("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=4095", "", "with 4095 iterations");
        refuse("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=4294967295", "", "with 4294967295 iterations");
        refuse("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=0", "", "with 0 iterations");
    }

    #[test]
    fn nonces_are_not_repeated_and_have_no_comma() {
        let one = nonce().unwrap();
        assert!(one != nonce().unwrap() && !one.contains(','));
    }
}
