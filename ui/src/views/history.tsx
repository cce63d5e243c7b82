import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Block, Log } from "../log.ts";
import { Line } from "./entries.tsx";

/** A long list of which only what is near to what can be seen is in the page; the rest is as high as it would be. */
export function History({ log }: { log: Log }) {
  const place = useRef<HTMLDivElement>(null);
  const [watch] = useState(() => watching(() => place.current?.closest("main") ?? null));
  return (
    <div class="history" ref={place}>
      {log.blocks.map((block, at) => (
        <Part key={block.number} block={block} isFirst={at === 0} watch={watch} />
      ))}
    </div>
  );
}

function Part({ block, isFirst, watch }: { block: Block; isFirst: boolean; watch: Watch }) {
  const [near, setNear] = useState(isFirst);
  const list = useRef<HTMLOListElement>(null);
  const height = useRef(0);
  useEffect(() => (list.current ? watch(list.current, setNear) : undefined), [watch]);
  useLayoutEffect(() => {
    if (list.current) height.current = keepInPlace(list.current, height.current);
  }, [block, near]);
  if (near) {
    return (
      <ol class="entries" ref={list}>
        {block.entries.map((entry) => (
          <Line entry={entry} key={entry.id} />
        ))}
      </ol>
    );
  }
  const high = height.current || block.entries.length * ROW;
  return <ol class="entries" ref={list} style={{ height: `${high}px` }} aria-hidden="true" />;
}

type Watch = (element: Element, tell: (near: boolean) => void) => () => void;

/**
 * Tells elements when they come near to what can be seen, and when they go. Whoever scrolls fast is shown a few of them
 * a frame, so that the frame itself is not late.
 */
function watching(root: () => Element | null): Watch {
  const told = new Map<Element, (near: boolean) => void>();
  const coming = new Set<Element>();
  let frame = 0;
  let observer: IntersectionObserver | undefined;
  const show = () => {
    for (const each of [...coming].slice(0, AT_ONCE)) {
      coming.delete(each);
      told.get(each)?.(true);
    }
    frame = coming.size > 0 ? requestAnimationFrame(show) : 0;
  };
  const hear = (changes: IntersectionObserverEntry[]) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) coming.add(target);
      else if (!coming.delete(target)) told.get(target)?.(false);
    }
    if (coming.size > 0 && frame === 0) frame = requestAnimationFrame(show);
  };
  return (element, tell) => {
    observer ??= new IntersectionObserver(hear, { root: root(), rootMargin: MARGIN });
    told.set(element, tell);
    observer.observe(element);
    return () => {
      observer?.unobserve(element);
      told.delete(element);
      coming.delete(element);
    };
  };
}

/** What changes above what can be seen must not move it. Answers how high the list is now. */
function keepInPlace(list: HTMLElement, before: number): number {
  const now = list.offsetHeight;
  const view = list.closest("main");
  if (view && before !== now && list.getBoundingClientRect().bottom < view.getBoundingClientRect().top) {
    view.scrollTop += now - before;
  }
  return now;
}

/** Of an entry whose words fit into one line. */
const ROW = 32;
const MARGIN = "400px 0px";
const AT_ONCE = 2;
