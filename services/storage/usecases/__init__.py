"""What the storage service can be asked to do.

keeping    a picture comes in: the row first, then its bytes
storing    a render from the queue is kept, or its item fails
gallery    owners look at, link, share and delete what is theirs
moving     an asset changes sides, public and private
removing   bytes go for good, and what a crash left half-done is finished
uploading  users bring pictures of their own, and take them away again
files      bytes go out, to whom a link lets see them
checking   rows and bytes are held against each other
"""
