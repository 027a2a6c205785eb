'use strict';
(() => {
  const one = (s, in_ = document) => in_.querySelector(s);
  const all = (s, in_ = document) => [...in_.querySelectorAll(s)];

  // Light and dark: what the system says until the button is used.
  const root = document.documentElement;
  const theme = one('#theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;
  const label = () => { theme.textContent = dark() ? 'Light' : 'Dark'; };
  theme.hidden = false;
  theme.addEventListener('click', () => { root.dataset.theme = dark() ? 'light' : 'dark'; label(); });
  system.addEventListener('change', label);
  label();

  // The table of calls: search and filters.
  const tools = one('.tools'), search = one('#q'), abi = one('#abi'), alike = one('#table .alike');
  const rows = all('#table tbody tr').map(tr => ({
    tr,
    name: one('code', tr).textContent,
    numbers: all('data', tr).map(el => ({ el, abi: el.dataset.abi, nr: Number(el.value) })),
    kinds: all('td', tr).map(td => td.dataset.k),
    changed: !tr.closest('.alike'),
  }));
  const closed = alike && alike.open;
  let before = '';
  const filter = () => {
    const text = search.value.trim().toLowerCase();
    const nr = /^(0x[0-9a-f]+|[0-9]+)$/.test(text) ? Number(text) : NaN;
    const kind = one('[name=kind]:checked').value;
    const only = abi ? abi.value : '';
    let shown = 0, folded = 0;
    for (const r of rows) {
      const numbers = r.numbers.filter(n => !only || n.abi === only);
      const show = numbers.length > 0 && (!kind || r.kinds.includes(kind)) &&
        (r.name.includes(text) || numbers.some(n => n.nr === nr));
      r.tr.hidden = !show;
      for (const n of r.numbers) n.el.hidden = only !== '' && n.abi !== only;
      shown += show;
      folded += show && !r.changed;
    }
    // Whoever looks for something finds it, also among what does not differ.
    const asked = text || kind || only;
    if (alike && asked !== before) alike.open = asked ? folded > 0 : closed;
    before = asked;
    one('#count').value = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    one('#nothing').hidden = shown > 0;
  };
  tools.hidden = false;
  tools.addEventListener('input', filter);
  filter();

  const open = one('#open');
  open.addEventListener('click', () => {
    const to = open.getAttribute('aria-expanded') !== 'true';
    for (const d of all('#table td details')) d.open = to;
    open.setAttribute('aria-expanded', to);
    open.textContent = to ? 'Close all conditions' : 'Open all conditions';
  });

  document.addEventListener('keydown', e => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && !/^(radio|checkbox)$/.test(e.target.type);
    if (e.key === '/' && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      search.focus();
      search.select();
    }
    if (e.key === 'Escape' && e.target === search && search.value) {
      search.value = '';
      filter();
    }
  });

  // Pictures: zoom by buttons, pan by dragging. Without a script they scroll.
  for (const tree of all('.tree')) {
    const svg = one('svg', tree), bar = one('.zoom', tree), box = one('.scroll', tree);
    if (!svg) continue;
    const natural = svg.viewBox.baseVal.width;
    bar.hidden = false;
    // A picture fits the page as long as it can be read then. It has no width while it is folded.
    const fit = () => { if (box.clientWidth) svg.style.width = `${Math.min(natural, Math.max(box.clientWidth, natural / 2))}px`; };
    fit();
    if (!box.clientWidth) tree.addEventListener('toggle', fit, { once: true });
    bar.addEventListener('click', e => {
      const by = e.target.value;
      if (!by) return;
      const now = svg.getBoundingClientRect().width;
      const to = by === 'fit' ? box.clientWidth : by === '0' ? natural : Math.min(Math.max(now * by, 100), natural * 5);
      svg.style.width = `${to}px`;
    });
    box.addEventListener('pointerdown', e => {
      if (e.pointerType !== 'mouse' || e.button !== 0) return;
      const from = { x: e.clientX + box.scrollLeft, y: e.clientY + box.scrollTop };
      const move = m => { box.scrollTo(from.x - m.clientX, from.y - m.clientY); };
      box.setPointerCapture(e.pointerId);
      box.addEventListener('pointermove', move);
      box.addEventListener('pointerup', () => box.removeEventListener('pointermove', move), { once: true });
    });
  }
})();
