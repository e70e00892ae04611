// Package remote is an msm.Engine that computes on another engine in a child process, so
// that native code which ends its process costs a job and not the node.
//
// [Methods] is the child's side: a table for package worker. [New] is the parent's. Bases go
// to a child once and have a number there; a child that does not know the number, because it
// replaced one that was lost, is sent them again. A job that was lost with its child is
// done once more; if that is lost too, or the engine in the child fails, this job and all
// later ones are done by a fallback engine of this process.
//
// A request is
//
//	length of the engine's name u8 | name | bases u64 | arguments | elements
//
// and a reply is elements alone. The arguments are those of each method:
//
//	msm.load       none                  points
//	msm.drop       none                  none
//	msm.multiply   width u64             scalars   replies points
//	msm.rows       columns u64           int32     replies points
//	msm.transform  1 inverse, 2 coset    scalars   replies scalars
//
// Elements are the memory of both processes, which run the same program: scalars of 32
// bytes and points of 64, in Montgomery form, integers as the processor has them.
//
// The child trusts its parent. The parent demands that a reply has the right length, that
// its coordinates are reduced and that its points are on the curve.
package remote
