/** What a plain browser is told: this page is the inside of an app. */
export function NeedsApp() {
  return (
    <main className="mx-auto flex h-full max-w-md flex-col justify-center gap-2 p-6">
      <h1 className="text-page font-semibold">This page needs DevRig</h1>
      <p className="text-read text-t2">It is the inside of the DevRig window and has no data of its own. Start it with “devrig-desktop”, or from your applications.</p>
    </main>
  );
}
