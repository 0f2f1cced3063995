// Light or dark, as Airflow's own pages are. Not a module: it runs before anything is painted.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // A browser may refuse storage: then the system decides.
    }
    const isDark = chosen === "dark" || (chosen !== "light" && system.matches);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    dispatchEvent(new Event("themechange"));
  }

  apply();
  addEventListener("storage", apply);
  system.addEventListener("change", apply);
})();
