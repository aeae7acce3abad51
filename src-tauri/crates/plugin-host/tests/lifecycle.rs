//! Start, activation, handlers, host calls, stop.
#![cfg(unix)]

mod support;

use std::io::Read;

use devrig_core::protocol::{Declared, FromWorker, HostMethod, LogLevel, ToWorker};
use devrig_plugin_host::exit;
use serde_json::{Value, json};
use support::{Rig, action, limits, package, plugin};

#[test]
fn a_plugin_activates_syncs_acts_and_stops() {
    let mut rig = Rig::start(plugin(
        r#"
        devrig.activate(async (sdk) => {
          sdk.dataSources.register('s', {
            async sync(cursor, ds) {
              ds.reportSyncProgress({ current: 1, total: 2 });
              const stored = await ds.storeItems([{ externalId: '1', type: 'x', title: 'One' }]);
              return { cursor: `${cursor}+${stored.created}`, itemCount: 1, hasMore: ds.backfill };
            },
          });
          sdk.actions.register('t', { async execute(input, context) {
            context.logger.info('acting', { on: context.inboxItem });
            return { success: true, output: [input, context.idempotencyKey, await sdk.storage.get('k')] };
          } });
        });
        devrig.deactivate(() => console.log('bye'));
        "#,
    ));
    let FromWorker::Active { registered } = rig.next() else { panic!("active") };
    let both = Declared {
        data_sources: vec!["s".into()],
        actions: vec!["t".into()],
        ..Declared::default()
    };
    assert_eq!(registered, both);

    let call = rig.begin_sync(Some("c1"));
    let (progress, of, method, params) = rig.host();
    assert_eq!(
        (of, method, params),
        (call, HostMethod::SyncProgress, json!({"current": 1, "total": 2}))
    );
    let (store, of, method, params) = rig.host();
    assert_eq!((of, method), (call, HostMethod::StoreItems));
    assert_eq!(params, json!({"items": [{"externalId": "1", "type": "x", "title": "One"}]}));
    rig.reply(progress, Value::Null);
    rig.reply(store, json!({"created": 1, "updated": 0}));
    assert_eq!(
        rig.finish(call).unwrap(),
        json!({"cursor": "c1+1", "itemCount": 1, "hasMore": true})
    );

    let call = rig.begin_action(json!({"a": "ü"}));
    let (get, of, method, params) = rig.host();
    assert_eq!((of, method, params), (call, HostMethod::StorageGet, json!({"key": "k"})));
    rig.reply(get, json!([1]));
    let result = rig.finish(call).unwrap();
    assert_eq!(result, json!({"success": true, "output": [{"a": "ü"}, "key", [1]]}));
    assert_eq!(rig.logs, [(LogLevel::Info, "acting".into())]);

    rig.send(&ToWorker::Stop);
    assert!(matches!(rig.next(), FromWorker::Stopped));
    assert_eq!(rig.logs[1].1, "bye");
    assert_eq!(rig.exit_code(), i32::from(exit::STOPPED));
    let mut out = String::new();
    rig.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(out, "", "standard output is not used");
}

#[test]
fn a_default_export_is_a_plugin_too() {
    let start = package(
        "dist/index.mjs",
        &[
            (
                "dist/index.mjs",
                r#"
                import sdk, { definePlugin, log, pluginId } from '@devrig/sdk';
                import { name } from './lib/name.js';
                import data from '../data.json' with { type: 'json' };
                export default definePlugin({
                  label: 'me',
                  activate(given) {
                    log.info(`${this.label} ${name} ${data.n} ${pluginId} ${given === sdk} ${sdk === devrig}`);
                    given.actions.register('t', async () => {
                      const late = await import('./late.js');
                      return [late.default, given.version, given.accountId, given.apiVersion, given.settings];
                    });
                  },
                  deactivate() { log.warn(`${this.label} gone`); },
                });
                "#,
            ),
            ("dist/lib/name.js", "export const name = 'lib';"),
            ("dist/late.js", "export default 'late'"),
            ("data.json", r#"{"n": 5}"#),
        ],
    );
    let mut rig = Rig::active(start);
    assert_eq!(rig.logs[0].1, "me lib 5 test.plugin true true");
    let settings = json!({"folders": ["/a"], "deep": {"x": 1}});
    assert_eq!(rig.run(Value::Null).unwrap(), json!(["late", "1.2.3", "acc1", "1.0.0", settings]));
    rig.send(&ToWorker::Stop);
    assert!(matches!(rig.next(), FromWorker::Stopped));
    assert_eq!(rig.logs[1].1, "me gone");
}

#[test]
#[cfg(target_os = "linux")]
fn every_layer_that_the_kernel_has_holds() {
    use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};

    let rig = Rig::spawn();
    let known = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok();
    assert_eq!(rig.sandbox.landlock, known);
    assert!(rig.sandbox.seccomp && rig.sandbox.rlimits, "{:?}", rig.sandbox);
    let status = std::fs::read_to_string(format!("/proc/{}/status", rig.child.id())).unwrap();
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", rig.child.id())).unwrap();
    let bound = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(bound("Max open files"), "4");
    assert_eq!(bound("Max processes"), "0");
    assert_eq!(bound("Max core file size"), "0");
    assert_ne!(bound("Max address space"), "unlimited");
    let open = std::fs::read_dir(format!("/proc/{}/fd", rig.child.id())).unwrap().count();
    assert_eq!(open, 4, "nothing but 0 to 3 stays open");
}

#[test]
fn failures_name_the_plugins_own_file_and_line() {
    let mut rig = Rig::active(package(
        "dist/index.js",
        &[(
            "dist/index.js",
            "devrig.activate((sdk) => {\n  sdk.actions.register('t', async () => {\n    const e = new RangeError('no'); e.code = 'MINE'; e.retryable = true; e.hint = 'try';\n    throw e;\n  });\n});",
        )],
    ));
    let failure = rig.run(Value::Null).unwrap_err();
    assert_eq!((&*failure.name, &*failure.code, &*failure.message), ("RangeError", "MINE", "no"));
    assert!(failure.retryable);
    assert_eq!(failure.hint.as_deref(), Some("try"));
    let stack = failure.stack.unwrap();
    assert!(stack.contains("dist/index.js:3:"), "{stack}");
    assert!(!stack.contains("devrig:"), "{stack}");
}

#[test]
fn host_errors_reach_the_plugin_typed() {
    let mut rig = Rig::active(action(
        "try { await sdk.storage.set('k', 1) } catch (e) { return [e.name, e.code, e.message, e.retryable, e instanceof sdk.DevRigError, /index\\.js/.test(e.stack ?? '')] }",
    ));
    let call = rig.begin_action(Value::Null);
    let (id, ..) = rig.host();
    rig.refuse(id, "REFUSED", "not granted");
    let seen = rig.finish(call).unwrap();
    assert_eq!(
        seen.as_array().unwrap()[..5],
        [json!("DevRigError"), json!("REFUSED"), json!("not granted"), json!(false), json!(true)]
    );
}

#[test]
fn an_undeclared_registration_fails_activation_even_when_caught() {
    for source in [
        "devrig.activate((sdk) => { sdk.actions.register('other', () => {}) })",
        "devrig.activate((sdk) => { try { sdk.actions.register('other', () => {}) } catch {} })",
        "devrig.activate((sdk) => { try { sdk.dataSources.register('github.notifications', { sync() {} }) } catch {} })",
        "devrig.activate(async (sdk) => { await null; sdk.dataSources.register('t', { sync() {} }) })",
    ] {
        let mut rig = Rig::start(plugin(source));
        let failure = rig.activation_failure();
        assert_eq!(failure.code, "REFUSED", "{source}: {failure:?}");
        assert!(failure.message.contains("not declared"), "{failure:?}");
        assert_eq!(rig.exit_code(), i32::from(exit::ACTIVATION));
    }
}

#[test]
fn what_goes_wrong_at_activation_is_told() {
    for (source, code, part) in [
        ("syntax error here", "PLUGIN_FAILED", "index.js"),
        ("throw new TypeError('top')", "PLUGIN_FAILED", "top"),
        ("devrig.activate(() => { throw 'text' })", "PLUGIN_FAILED", "text"),
        ("devrig.activate(() => Promise.reject(null))", "TOO_LARGE", "null was thrown"),
        ("1", "INVALID_INPUT", "no activate callback"),
        ("devrig.activate((sdk) => sdk.views.register('v', {}))", "UNSUPPORTED", "sdk.views"),
        ("import './missing.js'", "PLUGIN_FAILED", "\"./missing.js\" from index.js"),
        ("import fs from 'fs'", "PLUGIN_FAILED", "\"fs\" from index.js"),
        ("import '../outside.js'", "PLUGIN_FAILED", "../outside.js"),
        ("await import('std')", "PLUGIN_FAILED", "\"std\" from index.js"),
        ("await import('/etc/passwd')", "PLUGIN_FAILED", "/etc/passwd"),
        ("devrig.activate((sdk) => { sdk.settings.deep.x = 2 })", "PLUGIN_FAILED", "read-only"),
    ] {
        let mut rig = Rig::start(plugin(source));
        let failure = rig.activation_failure();
        let told = format!("{} {}", failure.message, failure.stack.as_deref().unwrap_or_default());
        assert_eq!(failure.code, code, "{source}: {failure:?}");
        assert!(told.contains(part), "{source}: {failure:?}");
        assert_eq!(rig.exit_code(), i32::from(exit::ACTIVATION));
    }
}

#[test]
fn a_wrong_protocol_or_entry_is_refused() {
    let mut start = plugin("");
    start.protocol = 99;
    assert_eq!(Rig::start(start).activation_failure().code, "PROTOCOL_MISMATCH");
    let mut start = plugin("");
    start.main = "gone.js".into();
    assert_eq!(Rig::start(start).activation_failure().code, "NOT_FOUND");
}

#[test]
fn a_cancelled_call_sees_its_signal() {
    let mut rig = Rig::active(action(
        "await new Promise((resolve) => context.signal.addEventListener('abort', resolve)); context.signal.throwIfAborted()",
    ));
    let call = rig.begin_action(Value::Null);
    rig.send(&ToWorker::Cancel { id: call });
    let failure = rig.finish(call).unwrap_err();
    assert_eq!((&*failure.name, &*failure.code), ("AbortError", "CANCELLED"));
}

#[test]
fn events_reach_their_handlers() {
    let mut rig = Rig::start(plugin(
        "devrig.activate((sdk) => { const off = sdk.events.on('test.plugin:x', (data) => { sdk.log.info(`got ${data.n}`); if (data.n > 1) off() }) })",
    ));
    let (id, call, method, params) = rig.host();
    assert_eq!(
        (call, method, params),
        (0, HostMethod::EventSubscribe, json!({"topic": "test.plugin:x"}))
    );
    rig.reply(id, Value::Null);
    assert!(matches!(rig.next(), FromWorker::Active { .. }));
    for n in 1..4 {
        rig.send(&ToWorker::Event { topic: "test.plugin:x".into(), data: json!({ "n": n }) });
    }
    rig.send(&ToWorker::Stop);
    assert!(matches!(rig.next(), FromWorker::Stopped));
    let lines: Vec<_> = rig.logs.iter().map(|(_, line)| &**line).collect();
    assert_eq!(lines, ["got 1", "got 2"]);
}

#[test]
fn calls_at_the_same_time_keep_their_own_ids() {
    let mut rig = Rig::active(action(
        "const a = await context.secrets.ref('x'); const b = await context.secrets.ref('y'); return [input, a, b]",
    ));
    let (first, second) = (rig.begin_action(json!(1)), rig.begin_action(json!(2)));
    let (id1, of1, ..) = rig.host();
    let (id2, of2, ..) = rig.host();
    assert_eq!((of1, of2), (first, second));
    rig.reply(id2, json!("2x"));
    let (id, of, method, params) = rig.host();
    assert_eq!((of, method, params), (second, HostMethod::SecretRef, json!({"name": "y"})));
    rig.reply(id, json!("2y"));
    assert_eq!(rig.finish(second).unwrap(), json!([2, "2x", "2y"]));
    rig.reply(id1, json!("1x"));
    let (id, of, ..) = rig.host();
    assert_eq!(of, first);
    rig.reply(id, json!("1y"));
    assert_eq!(rig.finish(first).unwrap(), json!([1, "1x", "1y"]));
}

#[test]
fn unhandled_rejections_are_logged_and_handled_ones_are_not() {
    let mut rig = Rig::active(action(
        "Promise.reject(new Error('lost')); const p = Promise.reject(new Error('caught')); p.catch(() => {}); setTimeout(() => { throw new Error('timer') }); await new Promise((r) => setTimeout(r, 5))",
    ));
    rig.run(Value::Null).unwrap();
    let errors: Vec<_> = rig.logs.iter().map(|(_, line)| line.lines().next().unwrap()).collect();
    assert_eq!(errors, ["Unhandled rejection: Error: lost", "Uncaught in a timer: Error: timer"]);
}

#[test]
fn the_core_going_away_ends_the_worker() {
    let mut rig = Rig::active(plugin("devrig.activate(() => { setInterval(() => {}, 1) })"));
    rig.socket.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(rig.exit_code(), i32::from(exit::STOPPED));
}

#[test]
fn a_deactivate_that_never_ends_does_not_keep_the_worker() {
    let mut start =
        plugin("devrig.activate(() => {}); devrig.deactivate(() => new Promise(() => {}))");
    start.limits = limits(64, 1000, 300);
    let mut rig = Rig::active(start);
    rig.send(&ToWorker::Stop);
    assert!(matches!(rig.next(), FromWorker::Stopped));
    assert_eq!(rig.exit_code(), i32::from(exit::STOPPED));
}

#[test]
fn a_worker_without_its_socket_says_so() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_plugin-host"))
        .env_clear()
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(i32::from(exit::UNUSABLE)));
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by DevRig"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_at_rest_gives_back_what_a_large_call_took() {
    const MIB: u64 = 1024 * 1024;
    let mut rig = Rig::active(action(
        "const kept = [];
         for (let n = 0; n < 200_000; n++) kept.push({ n, text: `item number ${n}` });
         // What was made last stays, so that the heap does not just shrink from its end.
         globalThis.last = kept.at(-1);
         return { success: true, output: kept.length };",
    ));
    let before = rig.resident_memory();
    rig.run(Value::Null).unwrap();
    assert!(rig.peak_memory() > before + 20 * MIB, "the call was large");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while rig.resident_memory() > before + 4 * MIB {
        assert!(std::time::Instant::now() < end, "{} bytes are kept", rig.resident_memory());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(rig.run(Value::Null).unwrap()["output"], 200_000, "and it works on");
}
