import { Layer } from '../components/Layer';
import { KeyTable } from './KeyTable';

export default function KeySheet({ onClose }: { onClose: () => void }) {
  return (
    <Layer title="Keys" wide onClose={onClose}>
      {/* In a small window it scrolls, so the keyboard must reach it. */}
      <div role="group" aria-label="All keys" tabIndex={0} className="ring-inset-focus">
        <KeyTable />
      </div>
    </Layer>
  );
}
