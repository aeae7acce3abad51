//! The functions that the fuzzer calls, on inputs near to those that mean something, and on any
//! bytes.

use proptest::prelude::*;

#[path = "../../../../fuzz/src/flow.rs"]
mod targets;

#[path = "../../../../fuzz/src/near.rs"]
mod near;

fn all(bytes: &[u8]) {
    targets::definitions(bytes);
    targets::canonical(bytes);
    targets::n8n(bytes);
}

#[test]
fn the_seeds_are_read() {
    targets::SEEDS.iter().for_each(|seed| all(seed.as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn definitions_near_to_good_ones_do_no_harm(bytes in near::to(targets::SEEDS)) {
        all(&bytes);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        all(&bytes);
    }
}
