// Sets theme, density and text size before the first paint, and keeps following the system's theme.
// The keys are those of src/settings/appearance.ts; a test holds the two together.
(function () {
  var root = document.documentElement;
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  function read() {
    try {
      return JSON.parse(localStorage.getItem('devrig.appearance') || '{}') || {};
    } catch (error) {
      return {};
    }
  }
  function apply() {
    var saved = read();
    var chosen = saved.theme === 'light' || saved.theme === 'dark' ? saved.theme : null;
    root.dataset.theme = chosen || (dark.matches ? 'dark' : 'light');
    root.dataset.density = saved.density === 'comfortable' ? 'comfortable' : 'compact';
    var size = Number(saved.textSize);
    root.style.fontSize = 16 * (size >= 90 && size <= 130 ? size / 100 : 1) + 'px';
  }
  apply();
  dark.addEventListener('change', apply);
  window.addEventListener('devrig:appearance', apply);
})();
