//! What plugins ask of the core: secrets and requests, storage, items, events, git, actions.

mod common;

use common::{PUBLIC, RUNNER, Rig, SECOND, code, manifest, package, syncs};
use devrig_core::Code;
use devrig_net::testnet::{Reply, Site};
use devrig_plugins::info::SyncState;
use serde_json::{Value, json};

const VALUE: &str = "s3cr3t-Value/42+x";

/// A plugin with a secret at `api.test`, which echoes what it gets.
async fn secret_rig(permissions: &[&str]) -> (Rig, devrig_plugins::info::AccountInfo) {
    let rig = Rig::new().await;
    let echo = |seen: &devrig_net::testnet::Seen| {
        let all: Vec<String> =
            seen.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        let body = json!({ "headers": all, "path": seen.path, "body": seen.body.to_vec() });
        Reply::ok(body.to_string()).header("x-echo", seen.header("authorization"))
    };
    rig.net.serve(Site::new("api.test", PUBLIC), echo).await;
    rig.net.serve(Site::new("other.test", SECOND), echo).await;
    let account = rig.granted(manifest("holder", permissions), RUNNER).await;
    rig.secret(&account, "token", VALUE).await;
    (rig, account)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_its_host_and_nobody_else() {
    let permissions =
        ["network:api.test", "network:other.test", "secrets:token@api.test", "storage"];
    let (rig, account) = secret_rig(&permissions).await;
    let script = "
        const token = await sdk.secrets.ref('token');
        const get = async (url, init) => { const r = await fetch(url, init); return r.headers.get('x-echo') + await r.text(); };
        return {
          token, same: token === await sdk.secrets.ref('token'),
          right: await get('https://api.test/', { headers: { authorization: `Bearer ${token}` } }),
          wrong: await get('https://other.test/', { headers: { authorization: `Bearer ${token}` } }),
          places: await get('https://api.test/' + token, { method: 'POST', body: token, headers: { [token]: 'x' } }),
          basic: await get('https://api.test/', { headers: { authorization: await sdk.secrets.basic('me', token) } }),
        };";
    let output = rig.act(&account, "t", code(script)).await.output();
    let token = output["token"].as_str().unwrap();
    assert_eq!(output["same"], true);
    let text = output.to_string();
    assert!(!text.contains(VALUE) && !text.contains("s3cr3t"), "{text}");

    let auth = |host: &str| -> Vec<String> {
        rig.net.seen_by(host).iter().map(|seen| seen.header("authorization").to_owned()).collect()
    };
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("me:{VALUE}"));
    assert_eq!(
        auth("api.test"),
        [format!("Bearer {VALUE}"), String::new(), format!("Basic {basic}")]
    );
    assert_eq!(auth("other.test"), [format!("Bearer {token}")], "a placeholder is worthless there");
    let places = &rig.net.seen_by("api.test")[1];
    assert!(places.path.contains(token) && places.body.as_ref() == token.as_bytes());
    assert!(!text.contains(&basic), "Basic is taken out too");
    let audit = rig.audited("holder", "secret:unbound-host").await;
    assert!(audit.entry.action.contains("other.test"), "{audit:?}");
    assert!(!format!("{:?}", rig.audits("holder").await).contains(VALUE));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_remembers_a_secret_cannot_tell_it_later() {
    let rig = Rig::new().await;
    let heard = std::sync::Mutex::new(String::new());
    rig.net
        .serve(Site::new("api.test", PUBLIC), move |seen| {
            let mut heard = heard.lock().unwrap();
            if !seen.header("x-key").is_empty() {
                *heard = seen.header("x-key").to_owned();
                return Reply::ok("kept");
            }
            Reply::ok(heard.clone())
        })
        .await;
    let account =
        rig.granted(manifest("asker", &["network:api.test", "secrets:token"]), RUNNER).await;
    rig.secret(&account, "token", VALUE).await;
    let script = "
        const token = await sdk.secrets.ref('token');
        await fetch('https://api.test/', { headers: { 'x-key': token } });
        return await (await fetch('https://api.test/later')).text() === token;";
    assert_eq!(rig.act(&account, "t", code(script)).await.output(), json!(true));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_takes_no_secret_along() {
    let (rig, account) = secret_rig(&["network:a.test", "network:b.test", "secrets:token"]).await;
    rig.net
        .serve(Site::new("a.test", "93.184.216.40"), |_| Reply::redirect(302, "https://b.test/x"))
        .await;
    rig.net.serve(Site::new("b.test", "93.184.216.41"), |_| Reply::ok("there")).await;
    let script = "
        const token = await sdk.secrets.ref('token');
        const r = await fetch('https://a.test/', { headers: { 'x-api-key': token, authorization: token } });
        return [r.redirected, await r.text()];";
    assert_eq!(rig.act(&account, "t", code(script)).await.output(), json!([true, "there"]));
    assert_eq!(rig.net.seen_by("a.test")[0].header("x-api-key"), VALUE);
    let there = &rig.net.seen_by("b.test")[0];
    assert_eq!((there.header("x-api-key"), there.header("authorization")), ("", ""));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_gets_a_secret_on_a_granted_port_of_this_machine_only() {
    let rig = Rig::new().await;
    let port = rig.net.loopback(|seen| Reply::ok(seen.header("x-key").len().to_string())).await;
    let mut manifest = manifest("local", &["network:{settings.base}", "secrets:token"]);
    manifest["settingsSchema"] =
        json!({ "type": "object", "properties": { "base": { "type": "string" } } });
    let account = rig.install(manifest, RUNNER).await;
    rig.plugins.grant(&account.id, Some(vec!["secrets:token".into()])).await.unwrap();
    rig.secret(&account, "token", VALUE).await;
    let script = format!(
        "const key = await sdk.secrets.ref('token');
         const r = await fetch('http://localhost:{port}/', {{ headers: {{ 'x-key': key }} }});
         return [key.length, await r.text()];"
    );
    let refused = rig.act(&account, "t", code(&script)).await.output();
    assert_eq!(refused["code"], "REFUSED", "{refused}");
    let settings = json!({ "base": format!("http://localhost:{port}/api") });
    let info = rig.plugins.account_configure(&account.id, settings).await.unwrap();
    assert!(info.granted.contains(&"network:{settings.base}".to_owned()), "by setting it");
    let output = rig.act(&account, "t", code(&script)).await.output();
    assert_eq!(output[1], VALUE.len().to_string(), "{output}");
    let other = rig.plugins.account_add("local", "second").await.unwrap();
    let refused = rig.act(&other, "t", code(&script)).await.output();
    assert_eq!(refused["code"], "REFUSED", "another account has its own grants: {refused}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_allowed_without_declaration_and_grant() {
    let rig = Rig::new().await;
    let account = rig.install(manifest("bare", &["storage", "secrets:token"]), RUNNER).await;
    let calls = "
        const tries = {
          fetch: () => fetch('https://api.test/'), storage: () => sdk.storage.set('a', 1),
          ref: () => sdk.secrets.ref('token'), get: () => sdk.secrets.get('token'),
          git: () => sdk.git.discover('/'), state: () => sdk.git.state('/x'),
          notify: () => sdk.notify('hi'), open: () => sdk.desktop.openFolder('/'),
          emit: () => sdk.events.emit('engine:stop', 1),
        };
        const out = {};
        for (const [name, run] of Object.entries(tries)) {
          try { await run(); out[name] = 'ok'; } catch (error) { out[name] = error.code; }
        }
        return out;";
    let output = rig.act(&account, "t", code(calls)).await.output();
    for (name, outcome) in output.as_object().unwrap() {
        assert_eq!(outcome, "REFUSED", "{name}");
    }
    assert!(rig.net.lookups().is_empty(), "refused before DNS");
    rig.audited("bare", "permission:not-granted").await;
    rig.audited("bare", "permission:not-declared").await;
    rig.audited("bare", "events:foreign-namespace").await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_is_the_accounts_own_and_has_a_quota() {
    let rig = Rig::new().await;
    let first = rig.granted(manifest("keeper", &["storage"]), RUNNER).await;
    let second = rig.plugins.account_add("keeper", "second").await.unwrap();
    rig.plugins.grant(&second.id, None).await.unwrap();
    let script = "
        await sdk.storage.set('a/1', { n: [1, null, 'x'] });
        await sdk.storage.set('a/2', 2); await sdk.storage.set('b', 3); await sdk.storage.delete('b');
        return [await sdk.storage.get('a/1'), await sdk.storage.list('a/'), await sdk.storage.list(), await sdk.storage.get('none')];";
    let output = rig.act(&first, "t", code(script)).await.output();
    assert_eq!(output, json!([{ "n": [1, null, "x"] }, ["a/1", "a/2"], ["a/1", "a/2"], null]));
    let other = rig.act(&second, "t", code("return sdk.storage.list()")).await.output();
    assert_eq!(other, json!([]));
    let fill = "
        const block = 'x'.repeat(200_000);
        for (let i = 0; ; i++) await sdk.storage.set('k' + i, block);";
    let output = rig.act(&first, "t", code(fill)).await.output();
    assert_eq!(output["code"], "QUOTA_EXCEEDED", "{output}");
    let output =
        rig.act(&first, "t", code("return sdk.storage.set('big', 'x'.repeat(300_000))")).await;
    assert_eq!(output.output()["code"], "TOO_LARGE");
    let held: i64 = sqlx::query_scalar("SELECT sum(length(value)) FROM plugin_storage")
        .fetch_one(rig.store.reader())
        .await
        .unwrap();
    assert!(held < 6 * 1024 * 1024, "{held}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_others_are_out_of_reach() {
    let rig = Rig::new().await;
    let _other = rig.granted(manifest("other", &[]), RUNNER).await;
    let source = syncs(
        "await ds.storeItems([{ externalId: '1', type: 'x', title: 'mine' }]);
         const found = [...await ds.queryItems({}), ...await ds.queryItems({ search: \"of' OR 1=1 -- \\\"*\" })];
         await ds.archive(['1', '2']); await ds.markRead(['1']);
         let late;
         try { await ds.storeItems([{ externalId: 'b', type: 'x', title: 'bad', extra: 1 }]); } catch (e) { late = e.message; }
         let many;
         try { await ds.storeItems(Array.from({ length: 1001 }, (_, i) => ({ externalId: `${i}`, type: 'x', title: 'x' }))); } catch (e) { many = e.code; }
         globalThis.kept = ds;
         return { cursor: JSON.stringify([found.map((item) => item.title), late, many]) };",
    );
    let account = rig.granted(manifest("nosy", &[]), &source).await;
    let cursor: Value = serde_json::from_str(&rig.cursor(&account).await.unwrap()).unwrap();
    assert_eq!(cursor[0], json!(["mine"]));
    assert!(cursor[1].as_str().unwrap().contains("extra"), "{cursor}");
    assert_eq!(cursor[2], "TOO_LARGE");
    let page = rig
        .inbox
        .list(&devrig_inbox::ListQuery { query: "is:done".into(), ..Default::default() })
        .await
        .unwrap();
    let done: Vec<&str> = page.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(done, ["mine"], "the other plugin's item with the same id is untouched");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_stored_within_a_sync_only() {
    let rig = Rig::new().await;
    let source = "devrig.activate((sdk) => {
        let kept;
        sdk.dataSources.register('s', { async sync(cursor, ds) { kept = ds; return { cursor: '1' }; } });
        sdk.actions.register('t', async () => {
          try { await kept.storeItems([]); } catch (error) { return { success: true, output: error.message }; }
        });
        sdk.actions.register('w', async () => ({ success: true }));
      });";
    let account = rig.granted(manifest("late", &[]), source).await;
    let output = rig.act(&account, "t", json!({})).await.output();
    assert!(output.as_str().unwrap().contains("has ended"), "{output}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stay_in_the_namespace_of_their_account() {
    let rig = Rig::new().await;
    let source = "devrig.activate((sdk) => {
        const heard = [];
        sdk.events.on('saved', (data) => heard.push(data));
        sdk.actions.register('t', async (input) => {
          if (input.emit) await sdk.events.emit('saved', input.emit);
          await new Promise((done) => setTimeout(done, 200));
          return { success: true, output: heard };
        });
        sdk.actions.register('w', async () => ({ success: true }));
        sdk.dataSources.register('s', { async sync() { return { cursor: '1' }; } });
      });";
    let first = rig.granted(manifest("talker", &[]), source).await;
    let second = rig.plugins.account_add("talker", "second").await.unwrap();
    rig.plugins.grant(&second.id, None).await.unwrap();
    rig.act(&second, "t", json!({})).await.output();
    let output = rig.act(&first, "t", json!({ "emit": { "n": 1 } })).await.output();
    assert_eq!(output, json!([{ "n": 1 }]));
    assert_eq!(rig.act(&second, "t", json!({})).await.output(), json!([]));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn git_sees_granted_folders_only_links_resolved() {
    let rig = Rig::new().await;
    let code_folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    for folder in [code_folder.path().join("repo"), outside.path().join("secret")] {
        std::fs::create_dir_all(folder.join(".git/objects")).unwrap();
        std::fs::create_dir_all(folder.join(".git/refs/heads")).unwrap();
        std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(folder.join(".git/config"), "[core]\n\trepositoryformatversion = 0\n")
            .unwrap();
    }
    std::os::unix::fs::symlink(outside.path().join("secret"), code_folder.path().join("link"))
        .unwrap();
    let mut manifest =
        manifest("local-git", &["git:read:{settings.folders}", "desktop:open-folder"]);
    manifest["settingsSchema"] = json!({
        "type": "object", "required": ["folders"],
        "properties": { "folders": { "type": "array", "items": { "type": "string" } } },
    });
    let account = rig.install(manifest, RUNNER).await;
    assert!(account.waiting.unwrap().contains("folders"));
    rig.plugins
        .grant(&account.id, Some(vec!["desktop:open-folder".into(), "inbox:write".into()]))
        .await
        .unwrap();
    let root = code_folder.path().canonicalize().unwrap();
    let settings = json!({ "folders": [root] });
    let account = rig.plugins.account_configure(&account.id, settings).await.unwrap();
    let script = format!(
        "const root = {:?}, out = [];
         out.push((await sdk.git.discover(root)).repositories.map((path) => path.slice(root.length)));
         out.push((await sdk.git.state(root + '/repo')).head.branch);
         for (const path of [root + '/link', root + '/../x', {:?}, '/etc', 'repo']) {{
           try {{ await sdk.git.state(path); out.push('ok'); }} catch (error) {{ out.push(error.code); }}
         }}
         await sdk.desktop.openFolder(root + '/repo');
         return out;",
        root.to_str().unwrap(),
        outside.path().join("secret").to_str().unwrap(),
    );
    let output = rig.act(&account, "t", code(&script)).await.output();
    assert_eq!(
        output,
        json!([
            ["/repo"],
            "main",
            "REFUSED",
            "INVALID_INPUT",
            "REFUSED",
            "REFUSED",
            "INVALID_INPUT"
        ])
    );
    assert_eq!(*rig.opened.0.lock().unwrap(), [root.join("repo")]);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_changes_its_item_and_is_sent_once() {
    let rig = Rig::new().await;
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::new(500, "no")).await;
    let source = "devrig.activate((sdk) => {
        sdk.dataSources.register('s', { async sync(cursor, ds) {
          await ds.storeItems([{ externalId: '1', type: 'x', title: 'an item', state: 'open' }]);
          return { cursor: '1' };
        } });
        sdk.actions.register('t', async (input, { inboxItem, idempotencyKey }) => ({
          success: true, output: [inboxItem.externalId, idempotencyKey.length > 10], itemUpdate: { state: 'closed' },
        }));
        sdk.actions.register('w', async (input) => {
          if (input.refuse) return { success: false, error: { code: 'UNAUTHORIZED', message: 'not you' } };
          const r = await fetch('https://api.test/', { method: 'POST' });
          if (!r.ok) throw new Error('HTTP ' + r.status);
          return { success: true };
        });
      });";
    let account = rig.granted(manifest("doer", &["network:api.test"]), source).await;
    let page = rig.inbox.list(&Default::default()).await.unwrap();
    let item = page.items[0].id.clone();
    let row = rig.plugins.action(Some(item.clone()), None, "t", json!({})).await.unwrap();
    assert_eq!(rig.acted(&row.id).await.output(), json!(["1", true]));
    assert_eq!(rig.inbox.get(&item).await.unwrap().summary.state.as_deref(), Some("closed"));

    let begun = std::time::Instant::now();
    let refused = rig.act(&account, "w", json!({ "refuse": true })).await;
    assert_eq!(refused.state, "failed");
    assert!(begun.elapsed().as_secs() >= 5, "it waited where undo can cancel it");
    assert!(refused.error.unwrap().contains("not you"));
    let unclear = rig.act(&account, "w", json!({})).await;
    assert_eq!(unclear.state, "needs_decision", "{unclear:?}");
    assert_eq!(rig.net.seen_by("api.test").len(), 1, "never twice");

    let unknown = rig.plugins.action(None, None, "nothing", json!({})).await.unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_is_respected() {
    let rig = Rig::new().await;
    rig.net
        .serve(Site::new("api.test", PUBLIC), |_| Reply::new(429, "").header("retry-after", "900"))
        .await;
    let source = syncs(
        "const r = await fetch('https://api.test/');
         throw new sdk.DevRigError('slow down', { code: 'RATE_LIMITED', retryable: true });",
    );
    let account = rig.granted(manifest("limited", &["network:api.test"]), &source).await;
    let status = rig.status(&account.id).await;
    assert_eq!(status.state, SyncState::Error);
    assert_eq!(status.error.unwrap().code, Code::RateLimited);
    let next = status.next_sync_at.unwrap().since(rig.store.clock().now());
    assert!(next.as_secs() > 850, "{next:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_by_field_and_permissions_by_name() {
    let rig = Rig::new().await;
    let mut manifest = manifest("set", &[]);
    manifest["settingsSchema"] = json!({
        "type": "object", "required": ["desk"], "additionalProperties": false,
        "properties": { "desk": { "type": "string" } },
    });
    let account = rig.install(manifest, RUNNER).await;
    let wrong = rig.plugins.account_configure(&account.id, json!({ "desk": 1 })).await.unwrap_err();
    assert_eq!(wrong.details.unwrap()["field"], "/desk");
    let wrong = rig.plugins.grant(&account.id, Some(vec!["network:evil.test".into()])).await;
    assert!(wrong.unwrap_err().message.contains("does not ask"));
    let wrong = rig.plugins.secret_set(&account.id, "x", "value".to_owned().into()).await;
    assert!(wrong.unwrap_err().message.contains("no secret"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_refused_with_the_place() {
    let rig = Rig::new().await;
    let mut manifest = manifest("broken", &[]);
    manifest["main"] = "../../etc/passwd".into();
    let folder = package(&manifest, &[("index.js", "")]);
    let error = rig.plugins.install(folder.path()).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidManifest);
    assert!(error.message.contains("/main"), "{error}");
    assert!(rig.plugins.list().await.unwrap().is_empty());
    assert!(!rig.home.path().join("plugins").exists(), "nothing is left on disk");
    rig.close().await;
}
