mod common;
use common::{RUNNER, Rig, code, manifest};
#[tokio::test(flavor = "multi_thread")]
async fn measure() {
    let rig = Rig::new().await;
    let account = rig.granted(manifest("m", &[]), RUNNER).await;
    let script = "const t = performance?.now ? () => performance.now() : () => Date.now();
      const a = Date.now(); for (let i = 0; i < 20000; i++) await sdk.events.emit('x', {a:'y'.repeat(900)}); return Date.now() - a;";
    for _ in 0..2 {
        println!("20000 calls ms {:?}", rig.act(&account, "t", code(script)).await);
    }
    let mut times = vec![];
    for _ in 0..50 {
        rig.plugins.disable("m").await.unwrap();
        rig.plugins.enable("m").await.unwrap();
        let b = std::time::Instant::now();
        let p = rig.plugins.probe_sandbox().await.unwrap();
        let _ = p;
        times.push(b.elapsed());
    }
    times.sort();
    println!("ready p50 {:?} p99 {:?}", times[25], times[49]);
    rig.close().await;
}
