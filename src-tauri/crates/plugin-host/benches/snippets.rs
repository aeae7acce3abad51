//! What a run of a snippet costs in the worker, by itself.

use std::time::{Duration, Instant};

use devrig_core::snippet::{Budget, Run};
use devrig_plugin_host::snippet::Machine;
use rquickjs::{Context, Function, Promise, Runtime, Value};

const INPUT: &str = r#"{"input":{"name":"an order","items":[{"price":3,"count":4},{"price":30,"count":5},{"price":7.5,"count":2}]},"trigger":{"method":"POST","headers":{"a":"b"}},"nodes":{},"variables":{},"loop":null}"#;

const SUM: &str = "\
    const total = input.items.reduce((sum, item) => sum + item.price * item.count, 0);
    return { total, big: total > 100, name: input.name.toUpperCase() };";

const SNIPPETS: &[(&str, &str)] = &[
    ("return input", "return input"),
    ("sum, condition, text", SUM),
    ("one await", "await null; return input.name"),
    ("one line of console", "console.log('name', input.name); return 1"),
    ("crypto.randomUUID", "return crypto.randomUUID()"),
    ("Math.random", "return Math.random()"),
    ("new URL", "return new URL('https://example.com/a?b=c').searchParams.get('b')"),
    ("parts loaded in the run", "return globalThis['at' + 'ob']('YQ==')"),
    ("an error", "throw new TypeError('no')"),
    ("10,000 steps", "let sum = 0; for (let i = 0; i < 10000; i++) sum += i; return sum"),
    ("10,000 objects", "return Array.from({ length: 10000 }, (_, i) => ({ i })).length"),
];

fn main() {
    row("a new engine each time", 0.0, &sample(whole_engine));
    let begun = Instant::now();
    let mut machine = Machine::new(64 << 20).unwrap();
    println!("the engine of a worker is made in {:?}", begun.elapsed());
    for (number, (name, source)) in SNIPPETS.iter().enumerate() {
        let hash = (number as u128).to_le_bytes();
        let budget = Budget::default();
        let mut run = Run { id: 1, budget, hash, source: Some(source), input: INPUT };
        let begun = Instant::now();
        machine.run(&run).expect("its source is given");
        let first = micros(begun.elapsed());
        run.source = None;
        row(name, first, &sample(|| drop(machine.run(&run).expect("its source is known"))));
    }
}

/// What a run would cost without the image: an engine made, used once and taken down.
fn whole_engine() {
    let context = Context::full(&Runtime::new().unwrap()).unwrap();
    context.with(|ctx| {
        let input = ctx.json_parse(INPUT).unwrap().into_object().unwrap();
        let input: Value = input.get("input").unwrap();
        let main: Function = ctx.eval(format!("(async (input) => {{{SUM}}})")).unwrap();
        let output: Value = main.call::<_, Promise>((input,)).unwrap().finish().unwrap();
        ctx.json_stringify(output).unwrap().unwrap().to_string().unwrap()
    });
}

fn sample(mut run: impl FnMut()) -> Vec<Duration> {
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort();
    times
}

fn row(name: &str, first: f64, times: &[Duration]) {
    let at = |part: usize| micros(times[(times.len() - 1) * part / 1000]);
    println!("{name:>24}: p50 {:7.1} µs, p99 {:7.1} µs, first {first:6.0} µs", at(500), at(990));
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}
