/*
 * Says so where a browser is too old for this page. For those it is no module, and in words that they
 * know. Of all that the page needs, these two came last; docs/viewer.md has the list.
 */
(function () {
  'use strict';
  var supports = window.CSS && window.CSS.supports;
  var known = supports && window.CSS.supports('color', 'light-dark(#000, #fff)') && window.CSS.supports('selector(:has(a))');
  if (!known) document.getElementById('old').hidden = false;
})();
