package components

import (
	"math/rand/v2"
	"testing"

	"galgo/ecs"
)

func TestOffsetsModel(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	type stored struct{ value, order uint64 }
	o := NewOffsets()
	model := map[ecs.Entity]map[ConsumerKey]stored{}
	var entities ecs.Entities
	var partitions []ecs.Entity
	for range 5 {
		partitions = append(partitions, entities.Take())
	}
	total := 0
	for step := range uint64(20000) {
		partition := partitions[random.IntN(len(partitions))]
		key := ConsumerKey{Kind: uint8(1 + random.IntN(2)), ID: uint32(random.IntN(30))}
		of := model[partition]
		switch random.IntN(50) {
		case 0:
			o.DeleteAll(partition)
			total -= len(of)
			delete(model, partition)
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10:
			o.Delete(partition, key)
			if _, ok := of[key]; ok {
				total--
			}
			delete(of, key)
		default:
			if of == nil {
				of = map[ConsumerKey]stored{}
				model[partition] = of
			}
			if _, ok := of[key]; !ok {
				total++
			}
			value := random.Uint64()
			o.Set(partition, key, value, step)
			of[key] = stored{value, step}
		}
		row, ok := o.Find(partition, key)
		want, wanted := model[partition][key]
		if ok != wanted || ok && (o.Value[row] != want.value || o.Order[row] != want.order) {
			t.Fatalf("step %d: got %v, want %v %v", step, ok, want, wanted)
		}
		counts, seen := [3]int{}, 0
		for key := range model[partition] {
			counts[key.Kind]++
		}
		for key, value := range func(yield func(ConsumerKey, uint64) bool) { o.Of(partition, yield) } {
			if model[partition][key].value != value {
				t.Fatalf("step %d: got %d for %v, want %d", step, value, key, model[partition][key].value)
			}
			seen++
		}
		if seen != len(model[partition]) || o.Count(partition, 1) != counts[1] || o.Count(partition, 2) != counts[2] || o.Len() != total {
			t.Fatalf("step %d: got %d offsets, %d and %d by kind, %d in all, want %d, %v, %d", step, seen, o.Count(partition, 1), o.Count(partition, 2), o.Len(), len(model[partition]), counts, total)
		}
	}
	all := 0
	o.All(func(partition ecs.Entity, consumer ConsumerKey, row uint32) bool {
		if model[partition][consumer].value != o.Value[row] {
			t.Fatalf("offset of %v %v: got %d, want %d", partition, consumer, o.Value[row], model[partition][consumer].value)
		}
		all++
		return true
	})
	if all != total {
		t.Fatalf("all offsets: got %d, want %d", all, total)
	}
}
