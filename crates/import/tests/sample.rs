//! The real usage that ships with Weir, read whole.

use std::fs::File;
use std::path::Path;

use weir_core::quantity::Quantity;
use weir_import::{DimensionSource, Mapping, Source, TimeSource, UsageFile, ValueSource};

/// Rows, and sums of `ContextTokens` and `GeneratedTokens`, as awk counts them.
const EXPECTED: [(&str, usize, i64, i64); 2] =
    [("code", 8_819, 18_059_974, 245_896), ("conv", 19_366, 22_361_870, 4_088_665)];

#[test]
fn every_row_of_the_sample_counts() {
    for (feature, count, input, output) in EXPECTED {
        let name = format!("azure-llm-2023-{feature}.csv");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(&name);
        let mapping = Mapping {
            customer: Source::Value(format!("azure-{feature}")),
            event_type: Source::Value("llm.completion".into()),
            timestamp: TimeSource { column: "TIMESTAMP".into() },
            timezone: None,
            values: [
                "input_tokens=ContextTokens",
                "output_tokens=GeneratedTokens",
                "tokens=ContextTokens+GeneratedTokens",
            ]
            .map(|pair| ValueSource::from_pair(pair).expect("a pair"))
            .into(),
            dimensions: vec![DimensionSource::value_from_pair(&format!("feature={feature}")).expect("a pair")],
            id_column: None,
        };
        let file = UsageFile::open(File::open(&path).expect("the sample"), Some(&name)).expect("a table");
        let (mut rows, mut sums) = (0, [Quantity::ZERO; 3]);
        let mut keys = std::collections::HashSet::new();
        for row in file.rows(&mapping).expect("a mapping that fits") {
            let event = row.expect("a good row").event;
            rows += 1;
            for (sum, name) in sums.iter_mut().zip(["input_tokens", "output_tokens", "tokens"]) {
                *sum = sum.checked_add(event.values[name]).expect("a sum in range");
            }
            assert_eq!(event.dimensions["feature"], feature);
            assert!(keys.insert(event.idempotency_key), "each row has a key of its own");
        }
        assert_eq!(rows, count);
        assert_eq!(sums, [input, output, input + output].map(Quantity::from_int));
    }
}
