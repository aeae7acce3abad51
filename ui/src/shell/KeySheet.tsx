import { Layer } from '../components/Layer';
import { KeyTable } from './KeyTable';

export default function KeySheet({ onClose }: { onClose: () => void }) {
  return (
    <Layer title="Keys" wide onClose={onClose}>
      <KeyTable />
    </Layer>
  );
}
