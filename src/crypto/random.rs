//! The operating system's random numbers: the one place that asks for them.

use super::CryptoError;

/// `N` random bytes.
#[expect(clippy::disallowed_methods, reason = "this is the random generator's one home")]
pub fn random_bytes<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

/// A code that people can read out: `length` characters of Crockford's base 32 (no I, L, O, U).
pub fn random_code(length: usize) -> Result<String, CryptoError> {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut code = String::with_capacity(length);
    while code.len() < length {
        let [byte] = random_bytes::<1>()?;
        code.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    Ok(code)
}
