import tempfile, pathlib, json
from tests.api.programs import town
def test_x():
    with tempfile.TemporaryDirectory() as d, town("sqlite", pathlib.Path(d)) as t:
        ana=t.program("ana")
        r=ana.get("/me"); print(r.status,r.text)
        r=t.program().get("/me"); print(r.status,r.text, dict(r.headers))
        r=ana.post("/listings",{"kind":"request","title":"Sofa"}, key="abc"); print(r.status,r.text,r.headers.get("location"))
        r=ana.post("/listings",{"kind":"request","title":"Sofa"}, key="abc"); print(r.status,r.headers)
        r=ana.post("/listings",{"kind":"request","title":"Sofa2"}, key="abc"); print(r.status,r.text)
        r=ana.post("/listings",{"kind":"request","title":"","x":1}); print(r.status,r.text)
        r=t.program().get("/listings?limit=1"); print(r.status,r.text)
        r=t.program().get("/openapi.json"); print(r.status,len(r.text))
        pathlib.Path('/tmp/openapi.json').write_text(json.dumps(r.json,indent=1))
        r=t.program().get("/nope"); print(r.status,r.text)
        r=ana.ask("PATCH","/listings"); print(r.status,r.headers,r.text)
