#pragma once

namespace convoy {

/// Makes idle compute threads go to sleep early instead of spinning, as the threads of one rank would
/// otherwise starve each other (20 to 35 times slower) where other programs take some of its cores. OpenMP's
/// library reads this when it is loaded, so the program starts itself once more, which happens before it has
/// done anything. Does nothing where the environment already says how to wait: OMP_WAIT_POLICY or
/// GOMP_SPINCOUNT (libgomp manual, "Environment Variables").
void limit_spinning(char** argv);

}  // namespace convoy
