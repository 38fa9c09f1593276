//! The hosts that are reached without a proxy, as curl reads `NO_PROXY`.

use std::net::IpAddr;

/// A list of hosts, domains, addresses and networks.
#[derive(Clone, Debug)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug)]
enum Entry {
    /// `*`
    All,
    /// `example.com`, and all hosts that end in `.example.com`
    Domain(String),
    /// `192.168.0.0/16`: an address, and the number of bits that count
    Network(IpAddr, u32),
}

impl NoProxy {
    /// Parses a list, whose entries are separated by commas or white space. An entry that is malformed matches nothing.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|character: char| character == ',' || character.is_whitespace());
        Self(entries.filter_map(Entry::parse).collect())
    }

    pub(super) fn contains(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let address = host.parse().ok();
        self.0.iter().any(|entry| entry.matches(host, address))
    }
}

impl Entry {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        let (address, bits) = entry.split_once('/').map_or((entry, None), |(address, bits)| (address, Some(bits)));
        let address = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
        match (address.parse::<IpAddr>(), bits) {
            (Ok(address), None) => Some(Self::Network(address, length(address))),
            (Ok(address), Some(bits)) => {
                bits.parse().ok().filter(|bits| *bits <= length(address)).map(|bits| Self::Network(address, bits))
            }
            (Err(_), Some(_)) => None,
            (Err(_), None) => {
                let domain = entry.strip_prefix('.').unwrap_or(entry);
                let domain = domain.strip_suffix('.').unwrap_or(domain);
                (!domain.is_empty()).then(|| Self::Domain(domain.to_ascii_lowercase()))
            }
        }
    }

    /// `address` is the host, if that is an address.
    fn matches(&self, host: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Domain(domain), None) => {
                let host = host.to_ascii_lowercase();
                host.strip_suffix(&**domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network(network, bits), Some(address)) => {
                length(*network) == length(address) && prefix(*network, *bits) == prefix(address, *bits)
            }
            (Self::Domain(_), Some(_)) | (Self::Network(..), None) => false,
        }
    }
}

/// The number of bits of an address.
fn length(address: IpAddr) -> u32 {
    if address.is_ipv6() { 128 } else { 32 }
}

/// The first bits of an address.
fn prefix(address: IpAddr, bits: u32) -> u128 {
    let number = match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => u128::from(address),
    };
    number.checked_shr(length(address) - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::NoProxy;

    #[test]
    fn entries_match_as_curl_documents_them() {
        for (list, host, matches) in [
            ("", "example.com", false),
            ("*", "example.com", true),
            ("*", "::1", true),
            ("a,*", "example.com", true),
            ("*.com", "example.com", false),
            ("local.com", "local.com", true),
            ("local.com", "www.local.com", true),
            ("local.com", "www.notlocal.com", false),
            ("local.com", "local.com.org", false),
            (".local.com", "local.com", true),
            (".local.com", "a.b.local.com", true),
            ("LOCAL.com.", "www.Local.COM.", true),
            ("com", "example.com", true),
            (".", "example.com.", false),
            ("a, example.com\tb", "example.com", true),
            ("a b", "b", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("0.0.1", "127.0.0.1", false),
            ("127.0.0.1", "a.127.0.0.1", false),
            ("192.168.0.0/16", "192.168.255.1", true),
            ("192.168.0.0/16", "192.169.0.1", false),
            ("192.168.0.0/0", "10.0.0.1", true),
            ("192.168.0.1/32", "192.168.0.1", true),
            ("192.168.0.1/32", "192.168.0.0", false),
            ("192.168.0.0/33", "192.168.0.0", false),
            ("192.168.0.0/x", "192.168.0.0", false),
            ("0.0.0.0/0", "::1", false),
            ("::1", "0:0:0:0:0:0:0:1", true),
            ("[::1]", "::1", true),
            ("fe80::/10", "febf::1", true),
            ("fe80::/10", "fec0::1", false),
            ("::/0", "2001:db8::1", true),
        ] {
            assert_eq!(NoProxy::parse(list).contains(host), matches, "{host} in {list:?}");
        }
    }
}
