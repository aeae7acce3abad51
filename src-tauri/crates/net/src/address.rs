//! What an IP address is: reachable for everybody, or something that a plugin could abuse.
//!
//! By IANA's special-purpose registries, read strictly: what is not known to be global is not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// An ordinary address of the internet.
    Global,
    /// This machine.
    Loopback,
    /// Private, unique local and carrier networks: a company's or a home's own machines.
    Private,
    /// Without a router. Home of most metadata services.
    LinkLocal,
    /// A cloud's metadata service, which hands out credentials to whoever asks.
    Metadata,
    /// Multicast, broadcast, unspecified, documentation, benchmarks, tunnels, unassigned.
    Reserved,
}

impl AddressClass {
    /// The words for a refusal.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Global => "a public address",
            Self::Loopback => "this machine",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata service",
            Self::Reserved => "a reserved address",
        }
    }
}

/// True for an ordinary address of the internet.
pub fn is_global(ip: IpAddr) -> bool {
    classify(ip) == AddressClass::Global
}

/// The class of an address. IPv6 forms that carry an IPv4 address have that address's class.
pub fn classify(ip: IpAddr) -> AddressClass {
    match ip {
        IpAddr::V4(ip) => classify_v4(ip),
        IpAddr::V6(ip) => classify_v6(ip),
    }
}

fn classify_v4(ip: Ipv4Addr) -> AddressClass {
    use AddressClass::{Global, LinkLocal, Loopback, Metadata, Private, Reserved};
    match ip.octets() {
        // Alibaba, Azure's wire server (in a public range) and Oracle; the others are link-local.
        [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => Metadata,
        // AWS, GCP, Azure, DigitalOcean and more; ECS tasks; EKS pods.
        [169, 254, 169, 254] | [169, 254, 170, 2 | 23] => Metadata,
        [127, ..] => Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Private,
        [169, 254, ..] => LinkLocal,
        // "This network"; protocol assignments and documentation; retired 6to4 relays.
        [0, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => Reserved,
        // Benchmarks, documentation, multicast and beyond.
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => Reserved,
        _ => Global,
    }
}

fn classify_v6(ip: Ipv6Addr) -> AddressClass {
    use AddressClass::{Global, LinkLocal, Loopback, Metadata, Private, Reserved};
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        classify_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        // Mapped, and the well-known NAT64 prefix, by which IPv6-only networks reach IPv4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        // AWS (instances, EKS pods), GCP.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x23] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Metadata
        }
        [0xfc00..=0xfdff, ..] => Private,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        // Protocol assignments with Teredo; documentation; 6to4, whatever it carries.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            Reserved
        }
        [0x2000..=0x3fff, ..] => Global,
        _ => Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::AddressClass::{Global, LinkLocal, Loopback, Metadata, Private, Reserved};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_special_range_is_known_at_its_edges() {
        for (class, addresses) in [
            (
                Global,
                "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.0 203.0.112.0 223.255.255.255 2001:4860:4860::8888 2606:4700::1111 2a00::1 3ffe::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8",
            ),
            (Loopback, "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1"),
            (
                Private,
                "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 100.64.0.0 100.127.255.255 fc00::1 fd00::1 fdff:ffff::1 ::ffff:10.0.0.1 64:ff9b::192.168.1.1",
            ),
            (LinkLocal, "169.254.0.1 169.254.255.255 fe80::1 febf::1 ::ffff:169.254.1.1"),
            (
                Metadata,
                "169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe",
            ),
            (
                Reserved,
                "0.0.0.0 0.255.255.255 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::2 ::7f00:1 ::127.0.0.1 100::1 ff02::1 fec0::1 2001::1 2001:db8::1 2001:1ff::1 2002:7f00:1::1 2002:808:808::1 3fff::1 5f00::1 4000::1 64:ff9b:1::1 ::ffff:0:7f00:1",
            ),
        ] {
            for text in addresses.split(' ') {
                assert_eq!(classify(text.parse().unwrap()), class, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn embedded_forms_never_hide_an_address(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let class = classify(v4.into());
            prop_assert_eq!(classify(v4.to_ipv6_mapped().into()), class);
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            prop_assert_eq!(classify(nat64.into()), class);
            let others = [v4.to_ipv6_compatible(), Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)];
            for other in others {
                prop_assert!(!is_global(other.into()), "{}", other);
            }
        }

        #[test]
        fn nothing_the_standard_library_calls_special_is_global(bits: u32, wide: u128) {
            let v4 = Ipv4Addr::from(bits);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified() {
                prop_assert!(!is_global(v4.into()));
            }
            let v6 = Ipv6Addr::from(wide);
            if is_global(v6.into()) && v6.to_ipv4_mapped().is_none() {
                prop_assert!(!v6.is_multicast() && !v6.is_unique_local() && !v6.is_unicast_link_local());
                prop_assert!((0x2000..0x4000).contains(&v6.segments()[0]) || v6.segments()[0] == 0x64);
            }
        }
    }
}
