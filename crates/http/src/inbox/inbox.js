// Keeps the list of emails fresh, and leaves open what is open.
"use strict";
(() => {
  const list = document.getElementById("emails");
  let known = "";

  const localTimes = () => {
    for (const time of list.querySelectorAll("time")) {
      time.textContent = new Date(time.dateTime).toLocaleString();
      time.title = time.dateTime;
    }
  };

  // What is there already stays where it is: a frame that moves loads again.
  const merge = (fresh) => {
    const ids = new Set([...fresh.children].map((child) => child.id));
    [...list.children].filter((child) => !ids.has(child.id)).forEach((child) => child.remove());
    const isFirst = list.childElementCount === 0;
    let at = list.firstElementChild;
    for (const child of [...fresh.children]) {
      if (at && at.id === child.id) {
        at = at.nextElementSibling;
      } else {
        if (!isFirst) child.open = false;
        list.insertBefore(document.adoptNode(child), at);
      }
    }
    localTimes();
  };

  const read = async (path) => {
    const answer = await fetch(path, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  };

  const look = async () => {
    try {
      const emails = await read("/dev/inbox.json");
      if (emails !== known) {
        const page = new DOMParser().parseFromString(await read("/dev/inbox"), "text/html");
        merge(page.getElementById("emails"));
        known = emails;
      }
    } catch {
      // The server is being restarted, most likely; the next look will tell.
    }
    setTimeout(look, 2000);
  };

  localTimes();
  look();
})();
